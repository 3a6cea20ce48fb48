import { compileSchema } from '@tutti/runtime'
import {
  type Action,
  ACTIONS,
  type Classification,
  CLASSIFICATIONS,
  isAction,
  type Risk,
  RISKS,
} from '@tutti/schema'
import { z } from 'zod'

const MOST_AMOUNT = 1_000_000_000_000
const LONGEST_SECONDS = 366 * 86_400
const MOST_SCHEMA_LETTERS = 50_000
const ONE_OF = `One of ${Object.keys(ACTIONS).join(', ')}.`

/** A word that is written down, or where in the task's input it stands. */
const path = z
  .string()
  .max(500)
  .regex(/^[^.]+(\.[^.]+)*$/, 'A name of the task’s input, or a path below it, as order.total.')

const argumentsSchema = z
  .union([z.boolean(), z.record(z.string(), z.unknown())])
  .superRefine((schema, context) => {
    const isLong = JSON.stringify(schema).length > MOST_SCHEMA_LETTERS
    const compiled = isLong ? undefined : compileSchema(schema)
    if (isLong)
      context.addIssue({ code: 'custom', message: `A schema has at most ${MOST_SCHEMA_LETTERS} letters.` })
    else if (compiled?.ok === false)
      context.addIssue({ code: 'custom', message: `That is not a JSON Schema: ${compiled.message}.` })
  })

/** What an agent does in the words of authority and policies; the keys of a step's `governs`, and `money.spend` for the action alone. */
export const governs = z.preprocess(
  (given, context) => {
    if (typeof given !== 'string') return given
    if (!isAction(given)) context.addIssue({ code: 'custom', message: ONE_OF })
    return { action: given }
  },
  z
    .strictObject({
      action: z.string().refine(isAction, ONE_OF),
      amount: z.union([z.number().min(0).max(MOST_AMOUNT), path]).optional(),
      risk: path.optional(),
      classification: path.optional(),
      deadline_seconds: z.number().min(1).max(LONGEST_SECONDS).optional(),
      on_deadline: z.enum(['escalate', 'expire', 'reject']).optional(),
      arguments_schema: argumentsSchema.optional(),
    })
    .refine(
      ({ on_deadline, deadline_seconds }) => on_deadline === undefined || deadline_seconds !== undefined,
      {
        path: ['deadline_seconds'],
        error: 'Say when: deadline_seconds: 1800.',
      },
    ),
)

/** What is written down, or a path into the task's input. */
type Given<Value> = { readonly value: Value } | { readonly path: readonly string[] }

/** The same as it is asked about. */
export interface AgentGoverns {
  readonly action: Action
  /** US dollars. */
  readonly amount?: Given<number>
  readonly risk?: Given<Risk>
  readonly classification?: Given<Classification>
  /** What becomes of a question that nobody answers within so many milliseconds. */
  readonly deadline?: { readonly ms: number; readonly rule: 'escalate' | 'expire' | 'reject' }
  readonly argumentsSchema?: boolean | Readonly<Record<string, unknown>>
}

/** Reads what a kept configuration says under `governs`; null when it says nothing. */
export const agentGoverns = governs.nullable().transform((given): AgentGoverns | null => {
  if (given === null) return null
  const { action, amount, risk, classification, deadline_seconds: seconds, on_deadline: rule } = given
  return {
    action,
    ...(amount === undefined
      ? {}
      : { amount: typeof amount === 'number' ? { value: amount } : pathOf(amount) }),
    ...(risk === undefined ? {} : { risk: wordOf(RISKS, risk) }),
    ...(classification === undefined ? {} : { classification: wordOf(CLASSIFICATIONS, classification) }),
    ...(seconds === undefined ? {} : { deadline: { ms: seconds * 1_000, rule: rule ?? 'expire' } }),
    ...(given.arguments_schema === undefined ? {} : { argumentsSchema: given.arguments_schema }),
  }
})

const pathOf = (text: string): { path: string[] } => ({ path: text.split('.') })

function wordOf<Word extends string>(words: readonly Word[], text: string): Given<Word> {
  const value = words.find((word) => word === text)
  return value === undefined ? pathOf(text) : { value }
}
