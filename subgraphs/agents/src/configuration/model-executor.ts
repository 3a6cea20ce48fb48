import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { MODEL_TOOLS } from './model-tools.ts'

const MOST_SCHEMA_LETTERS = 50_000

/** The form of an answer: a JSON Schema, draft 2020-12, of an object. */
const outputSchema = z
  .record(z.string(), z.unknown())
  .superRefine((schema, context) => {
    const problem = schemaProblem(schema)
    if (problem) context.addIssue({ code: 'custom', message: problem })
  })
  .optional()

/** How a language model does a task; what `executor` says beside its type. */
export const modelExecutor = z.strictObject({
  /** What `{{name}}` in it names of the task's input is put among the data. Without one, the whole input is. */
  instructions: z.string().min(1).max(50_000),
  output_schema: outputSchema,
  /** What the model may call. */
  tools: z.array(z.enum(MODEL_TOOLS)).max(MODEL_TOOLS.length).default([]),
  /** How often it may ask for tools before it has to answer. */
  max_rounds: z.int().min(1).max(20).default(5),
  max_output_tokens: z.int().min(1).max(200_000).default(1_500),
  temperature: z.number().min(0).max(2).default(0),
})

/** The same as it is kept; all of it is there where the executor is a model. */
export const modelRecord = z.object({
  instructions: z.string(),
  output_schema: z.record(z.string(), z.unknown()),
  tools: z.array(z.enum(MODEL_TOOLS)),
  max_rounds: z.int(),
  max_output_tokens: z.int(),
  temperature: z.number(),
})

function schemaProblem(schema: Readonly<Record<string, unknown>>): string | undefined {
  if (schema['type'] !== 'object') return 'The answer of a model is an object: the schema says type: object.'
  if (JSON.stringify(schema).length > MOST_SCHEMA_LETTERS)
    return `A schema has at most ${MOST_SCHEMA_LETTERS} letters.`
  try {
    new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema)
    return undefined
  } catch (error) {
    return `That is not a JSON Schema: ${error instanceof Error ? error.message.slice(0, 300) : 'it is wrong'}.`
  }
}
