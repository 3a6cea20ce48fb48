import { parseInput } from '@tutti/runtime'
import { z } from 'zod'
import { isRecord } from '@tutti/schema'
import { compileExpression } from '../definitions/index.ts'
import { problemOfPattern } from './event-type.ts'
import { readSchedule } from './schedule.ts'
import { isStorableText, unstorable } from './unstorable.ts'
import { FACT_OF, MISSED_POLICIES, TRIGGER_KINDS, type TriggerKind } from './trigger-row.ts'
import { isSigningSecret } from './webhook-secret.ts'

const MOST_EXPRESSIONS = 100
const CATCH_UP = 100
/** Inputs of the firings that are caught up at once, characters. */
const MOST_CAUGHT_UP = 64 * 1024 * 1024

const line = (most: number) =>
  z
    .string()
    .min(1, 'It must not be empty.')
    .max(most, `It has at most ${most} characters.`)
    .refine(isStorableText, 'It holds a NUL character or half of a surrogate pair, which cannot be stored.')
const whole = (least: number, most: number) => {
  const message = `A whole number from ${least} to ${most}.`
  return z.int(message).min(least, message).max(most, message)
}

const ofSchedule = {
  cron: z.string().nullish(),
  timeZone: z.string().nullish(),
  missed: z.enum(MISSED_POLICIES).nullish(),
  catchUp: whole(1, 1_000).nullish(),
  jitterSeconds: whole(0, 3_600).nullish(),
}
const ofEvent = { eventType: z.string().nullish(), filter: z.string().nullish() }
const ofWebhook = {
  signed: z.boolean().nullish(),
  signingSecret: z
    .string()
    .refine(isSigningSecret, 'A secret is whsec_ and 24 to 64 bytes in base64, as the sender shows it.')
    .nullish(),
  maxPerMinute: whole(1, 100_000).nullish(),
}
const FIELDS: Record<TriggerKind, readonly string[]> = {
  schedule: Object.keys(ofSchedule),
  event: Object.keys(ofEvent),
  webhook: Object.keys(ofWebhook),
}

const settingsSchema = z
  .object({
    name: line(200),
    kind: z.enum(TRIGGER_KINDS),
    ...ofSchedule,
    ...ofEvent,
    ...ofWebhook,
    input: z.unknown().optional(),
    expressions: z.unknown().optional(),
    idempotencyKey: z.string().nullish(),
    priority: whole(-10, 10).nullish(),
  })
  .superRefine((given, context) => {
    const complain = (at: string, message: string): void =>
      context.addIssue({ code: 'custom', path: at.split('.'), message })
    for (const [kind, fields] of Object.entries(FIELDS)) {
      if (kind === given.kind) continue
      for (const field of fields) {
        if (Reflect.get(given, field) != null) complain(field, `This belongs to ${kind} triggers only.`)
      }
    }
    if (given.kind === 'schedule') {
      const read = readSchedule(given.cron ?? '', given.timeZone ?? 'UTC')
      if (!given.cron) complain('cron', 'A schedule needs a cron expression.')
      else if (!read.ok) complain(read.part, read.message)
      if (given.catchUp != null && given.missed !== 'all')
        complain('catchUp', 'This belongs to missed ALL only.')
      const bytes = JSON.stringify(given.input ?? null).length * (given.catchUp ?? CATCH_UP)
      if (given.missed === 'all' && bytes > MOST_CAUGHT_UP)
        complain('catchUp', 'The inputs of so many firings would be more than 64 MiB together.')
    }
    if (given.kind === 'event') {
      const problem = given.eventType
        ? problemOfPattern(given.eventType)
        : 'An event trigger needs a type of event.'
      if (problem !== null) complain('eventType', problem)
      if (given.filter != null) checkExpression('filter', given.filter, 'boolean')
    }
    if (given.signed === false && given.signingSecret != null) {
      complain('signingSecret', 'A webhook that is not signed has none.')
    }
    if (given.input != null) {
      const problem = isRecord(given.input)
        ? unstorable(given.input)
        : 'The input is an object: values by input name.'
      if (problem !== null) complain('input', problem)
    }
    if (given.expressions != null) checkExpressions(given.expressions)
    if (given.idempotencyKey != null) checkExpression('idempotencyKey', given.idempotencyKey, 'any')

    function checkExpressions(expressions: unknown): void {
      if (!isRecord(expressions)) return complain('expressions', 'An object: CEL texts by input name.')
      const entries = Object.entries(expressions)
      if (entries.length > MOST_EXPRESSIONS) complain('expressions', `At most ${MOST_EXPRESSIONS}.`)
      for (const [name, text] of entries.slice(0, MOST_EXPRESSIONS)) {
        if (typeof text !== 'string') complain(`expressions.${name}`, 'A text in CEL.')
        else if (!isStorableText(name)) complain('expressions', 'A name holds what cannot be stored.')
        else checkExpression(`expressions.${name}`, text, 'any')
      }
    }

    function checkExpression(at: string, text: string, want: 'boolean' | 'any'): void {
      if (!isStorableText(text)) return complain(at, 'It holds what cannot be stored.')
      const compiled = compileExpression(text, want)
      if (!compiled.ok)
        return complain(at, `${compiled.message} (at character ${compiled.offset + 1}) ${compiled.hint}`)
      const fact = FACT_OF[given.kind]
      const unknown = compiled.expression.variables.filter((name) => name !== fact)
      if (unknown.length > 0) complain(at, `Here is only ${fact}, not ${unknown.join(', ')}.`)
    }
  })

/** What a trigger is to be, checked; times in milliseconds, and only what its kind has. */
export interface TriggerSettings {
  name: string
  kind: TriggerKind
  cron: string | null
  timeZone: string | null
  missed: (typeof MISSED_POLICIES)[number] | null
  catchUp: number | null
  jitterMs: number
  eventType: string | null
  filter: string | null
  signed: boolean
  /** The sender's; null: one is made. */
  signingSecret: string | null
  /** Calls of a webhook that are taken in a minute; null: the platform's number. */
  maxPerMinute: number | null
  input: Record<string, unknown> | null
  expressions: Record<string, string> | null
  idempotencyKey: string | null
  priority: number | null
}

/** Checks what a client wants of a trigger. BAD_INPUT with all mistakes, each with the path of its argument. */
export function readTriggerSettings(input: unknown): TriggerSettings {
  const given = parseInput(settingsSchema, input)
  const { kind } = given
  const schedule = kind === 'schedule'
  const missed = given.missed ?? 'once'
  return {
    name: given.name,
    kind,
    cron: schedule ? (given.cron ?? null) : null,
    timeZone: schedule ? (given.timeZone ?? 'UTC') : null,
    missed: schedule ? missed : null,
    catchUp: schedule && missed === 'all' ? (given.catchUp ?? CATCH_UP) : null,
    jitterMs: schedule ? (given.jitterSeconds ?? 0) * 1_000 : 0,
    eventType: given.eventType ?? null,
    filter: given.filter ?? null,
    signed: kind === 'webhook' && given.signed !== false,
    signingSecret: given.signingSecret ?? null,
    maxPerMinute: given.maxPerMinute ?? null,
    input: isRecord(given.input) ? given.input : null,
    expressions: isTexts(given.expressions) ? given.expressions : null,
    idempotencyKey: given.idempotencyKey ?? null,
    priority: given.priority ?? null,
  }
}

const isTexts = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((each) => typeof each === 'string')
