import { deserialize, serialize } from 'node:v8'
import { z } from 'zod'
import type { IntentModel } from './intent-model.ts'

const model = z.object({
  kind: z.literal('tutti-intent-model'),
  version: z.literal(1),
  intents: z.array(z.string()).min(2),
  vocabulary: z.object({
    size: z.int().nonnegative(),
    hashes: z.instanceof(Uint32Array),
    indexes: z.instanceof(Int32Array),
    idf: z.instanceof(Float32Array),
    unseen: z.number(),
  }),
  weights: z.instanceof(Float32Array),
  sharpness: z.number(),
  rejection: z.object({
    bias: z.number(),
    weights: z.tuple([z.number(), z.number(), z.number()]),
    threshold: z.number(),
  }),
  report: z.object({
    examples: z.number(),
    seconds: z.number(),
    heldOutAccuracy: z.number(),
    heldOutRejected: z.number(),
    backgroundRejected: z.number(),
  }),
})

/** Takes a value from another thread or a file for a model; throws when it is none, or its parts do not belong together. */
export function readModel(value: unknown): IntentModel {
  const read = model.parse(value)
  const { size, idf, hashes, indexes } = read.vocabulary
  if (idf.length !== size || hashes.length !== indexes.length) {
    throw new Error('not an intent model: the vocabulary does not belong together')
  }
  if (read.weights.length !== (size + 1) * (read.intents.length + 1)) {
    throw new Error('not an intent model: the weights are not those of the vocabulary')
  }
  return read
}

/** A model as bytes (structured clone format of this Node major; read by {@link deserialiseIntentModel}). */
export function serialiseIntentModel(value: IntentModel): Buffer {
  return serialize(value)
}

/** Reads a model from bytes; throws when they are damaged or of another version. */
export function deserialiseIntentModel(bytes: Uint8Array): IntentModel {
  return readModel(deserialize(bytes))
}
