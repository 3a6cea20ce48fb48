import { z } from 'zod'
import { isRecord } from '@tutti/schema'
import { compileExpression } from '../definitions/index.ts'
import type { CompiledExpression } from '../definitions/index.ts'
import { parseDuration } from '../definitions/read-duration.ts'
import type { AttemptError } from '../engine/core/index.ts'
import { unstorable } from '../triggers/unstorable.ts'

/** What the expression of a mock reads. */
const MOCK_NAMES = ['input', 'attempt', 'call', 'path']
const MOST_ENTRIES = 1_000
const LONGEST_TEXT = 500

const json = z.unknown().superRefine((value, context) => {
  const problem = unstorable(value)
  if (problem !== null) context.addIssue({ code: 'custom', message: problem })
})

const text = z.string().min(1, 'It is empty.').max(LONGEST_TEXT, `At most ${LONGEST_TEXT} characters.`)

const duration = z.string().transform((written, context): number => {
  const ms = parseDuration(written)
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: 'A duration is written as 90s, 1h30m, 2d or PT1H30M.' })
  return z.NEVER
})

/** Milliseconds since 1970 of a time, or since the start of a duration. */
const moment = z
  .string()
  .transform((written, context): { readonly time: number } | { readonly afterMs: number } => {
    const afterMs = parseDuration(written)
    if (afterMs !== undefined) return { afterMs }
    const time = timeOf(written)
    if (time !== undefined) return { time }
    const message = 'A time is a duration from the start, as 2d, or written as 2027-01-31T09:00:00Z.'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

function timeOf(written: string): number | undefined {
  const time = ISO_TIME.test(written) ? Date.parse(written) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const startTime = z.union([z.string(), z.date()]).transform((written, context): number => {
  const time = written instanceof Date ? written.getTime() : timeOf(written)
  if (time !== undefined && !Number.isNaN(time)) return time
  context.addIssue({ code: 'custom', message: 'A time is written as 2027-01-31T09:00:00Z.' })
  return z.NEVER
})

const expression = text.max(2_000).transform((written, context): CompiledExpression => {
  const compiled = compileExpression(written)
  const message = compiled.ok ? strangerOf(compiled.expression) : `${compiled.message} ${compiled.hint}`
  if (compiled.ok && message === undefined) return compiled.expression
  context.addIssue({ code: 'custom', message: message ?? '' })
  return z.NEVER
})

function strangerOf({ variables }: CompiledExpression): string | undefined {
  const stranger = variables.find((name) => !MOCK_NAMES.includes(name))
  if (stranger === undefined) return undefined
  return `"${stranger}" is no name here: a mock reads ${MOCK_NAMES.join(', ')}; a step's inputs are input.<name>.`
}

const failure = z
  .object({
    code: text,
    message: text.nullish(),
    retryable: z.boolean().nullish(),
    retryAfter: duration.nullish(),
  })
  .transform(({ code, message, retryable, retryAfter }): AttemptError => ({
    code,
    message: message ?? code,
    retryable: retryable ?? false,
    ...(retryAfter == null ? {} : { retryAfterMs: retryAfter }),
  }))

/** What a mock says, and after which virtual time. */
export type MockAnswer = { readonly latencyMs: number } & (
  | { readonly type: 'output'; readonly output: unknown }
  | { readonly type: 'expression'; readonly expression: CompiledExpression }
  | { readonly type: 'error'; readonly error: AttemptError }
)

const answerFields = {
  output: json.optional(),
  expression: expression.nullish(),
  error: failure.nullish(),
  latency: duration.nullish(),
}

const outcome = z.object(answerFields).transform((given, context): MockAnswer => {
  const [answer, ...more] = answersIn(given)
  if (answer && more.length === 0) return answer
  context.addIssue({ code: 'custom', message: 'Give one of output, expression and error.' })
  return z.NEVER
})

const mock = z
  .object({
    step: text.nullish(),
    agent: text.nullish(),
    capability: text.nullish(),
    workflow: text.nullish(),
    ...answerFields,
    outcomes: z.array(outcome).min(1, 'It is empty.').max(MOST_ENTRIES).nullish(),
  })
  .superRefine(({ step, agent, capability, workflow }, context) => {
    const given = [agent, capability, workflow].filter((each) => each != null)
    if (given.length > 1 || (given.length === 0 && step == null)) {
      const message = 'Say whom it stands for: a step, and if wanted one of agent, capability and workflow.'
      context.addIssue({ code: 'custom', path: ['step'], message })
    }
  })
  .transform(({ step, agent, capability, workflow, outcomes, ...given }, context): Mock => {
    const answers = [...answersIn(given), ...(outcomes ? [outcomes] : [])]
    const [answer] = answers
    if (!answer || answers.length > 1 || (outcomes && given.latency != null)) {
      const message = outcomes
        ? 'Outcomes say everything themselves: no output, expression, error or latency beside them.'
        : 'Give one of output, expression, error and outcomes.'
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    }
    return {
      step: step ?? undefined,
      agent: agent ?? undefined,
      capability: capability ?? undefined,
      workflow: workflow ?? undefined,
      answers: Array.isArray(answer) ? answer : [answer],
    }
  })

function answersIn(given: {
  readonly output?: unknown
  readonly expression?: CompiledExpression | null | undefined
  readonly error?: AttemptError | null | undefined
  readonly latency?: number | null | undefined
}): MockAnswer[] {
  const latencyMs = given.latency ?? 0
  return [
    ...(given.output === undefined ? [] : [{ type: 'output' as const, output: given.output, latencyMs }]),
    ...(given.expression ? [{ type: 'expression' as const, expression: given.expression, latencyMs }] : []),
    ...(given.error ? [{ type: 'error' as const, error: given.error, latencyMs }] : []),
  ]
}

/** Who answers for an agent, a capability or a sub-workflow, and what: the last answer again and again. */
export type Mock = {
  readonly step: string | undefined
  readonly agent: string | undefined
  readonly capability: string | undefined
  readonly workflow: string | undefined
  readonly answers: readonly MockAnswer[]
}

const list = <Each extends z.ZodType>(each: Each) =>
  z
    .array(each)
    .max(MOST_ENTRIES, `At most ${MOST_ENTRIES} of them.`)
    .nullish()
    .transform((given) => given ?? [])

/** A test's settings as they are checked; its output is what the test is played with. */
export const testSettings = z.object({
  input: json
    .refine(isRecord, 'The input is an object: values by input name.')
    .nullish()
    .transform((given): Record<string, unknown> => (isRecord(given) ? given : {})),
  mocks: list(mock),
  echo: z
    .boolean()
    .nullish()
    .transform((given) => given ?? false),
  signals: list(z.object({ name: text, payload: json.optional(), at: moment.nullish() })),
  events: list(
    z.object({
      type: text,
      source: text.nullish(),
      subject: text.nullish(),
      data: json.optional(),
      at: moment.nullish(),
    }),
  ),
  decisions: list(
    z.object({
      step: text,
      outcome: z.enum(['approve', 'reject', 'expire']),
      by: text.nullish(),
      comment: z.string().max(10_000, 'At most 10,000 characters.').nullish(),
      after: duration.nullish(),
    }),
  ),
  startAt: startTime.nullish().transform((given) => given ?? Date.UTC(2026, 0, 1)),
})

/** What a test is given; texts such as `2d` are durations of virtual time. */
export type TestSettings = z.input<typeof testSettings>

/** The settings of a test, read. */
export type TestPlan = z.output<typeof testSettings>
