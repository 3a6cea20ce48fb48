import type { z } from 'zod'
import { ModelError } from './model-error.ts'
import type { ModelReply } from './model-request.ts'

/** The JSON of an answer, between other words or fences too. Throws MODEL_BAD_OUTPUT. */
export function readJson({ text, isWhole }: Pick<ModelReply, 'text' | 'isWhole'>): unknown {
  const json = parse(text)
  if (json !== undefined) return json
  const from = text.indexOf('{')
  const to = text.lastIndexOf('}')
  // Of what was cut short, an inner part may look like the whole.
  const inside = isWhole && from >= 0 && to > from ? parse(text.slice(from, to + 1)) : undefined
  if (inside !== undefined) return inside
  throw new ModelError('MODEL_BAD_OUTPUT', isWhole ? 'the answer is not JSON' : 'the answer was cut short')
}

/** An answer by its schema. Throws MODEL_BAD_OUTPUT. */
export function readBySchema<T>(reply: Pick<ModelReply, 'text' | 'isWhole'>, schema: z.ZodType<T>): T {
  const read = schema.safeParse(readJson(reply))
  if (read.success) return read.data
  throw new ModelError('MODEL_BAD_OUTPUT', 'the answer is not the JSON that was asked for')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
