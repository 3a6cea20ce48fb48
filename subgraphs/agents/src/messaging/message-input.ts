import { createHash } from 'node:crypto'
import { canonicalJson } from '@tutti/schema'
import { z } from 'zod'
import { findUnsafeValues, isStorable } from '../configuration/find-unsafe-values.ts'
import { MOST_BODY_BYTES, PRIORITY } from './agent-message.ts'

const MOST_SECONDS = 30 * 24 * 60 * 60
const A_WEEK = 7 * 24 * 60 * 60

/** A text that PostgreSQL can keep and somebody may look for. */
export const word = (most = 200) =>
  z.string().min(1).max(most).refine(isStorable, 'It must not hold the NUL character or half a character.')

/** What is said: JSON of at most this many bytes that PostgreSQL can keep. */
export const bodyOf = (most = MOST_BODY_BYTES) =>
  z.unknown().superRefine((value, context) => {
    const bytes = Buffer.byteLength(JSON.stringify(value ?? null))
    if (bytes > most)
      context.addIssue({
        code: 'custom',
        message: `A body has at most ${most / 1024} KiB; this one has ${bytes} bytes.`,
      })
    else
      for (const { at, message } of findUnsafeValues(value))
        context.addIssue({ code: 'custom', path: [...at], message })
  })

/** How urgent, as stored. */
export const priorityOr = (otherwise: number) =>
  z
    .int()
    .min(PRIORITY.low)
    .max(PRIORITY.urgent)
    .nullish()
    .transform((given) => given ?? otherwise)

/** How long it waits in an inbox, in seconds: a week unless said, 30 days at most. */
export const expiresInSeconds = z
  .int()
  .min(1, 'At least 1.')
  .max(MOST_SECONDS, 'At most 30 days.')
  .nullish()
  .transform((seconds) => seconds ?? A_WEEK)

/** The same key sends once. */
export const idempotencyKey = word().nullish()

/** Whom it goes to. */
export const target = z
  .object({ agent: word().nullish(), type: word().nullish(), capability: word().nullish() })
  .refine(
    ({ agent, type, capability }) => (agent == null) !== (type == null && capability == null),
    'Say an agent, or a type or capability (or both).',
  )

/** Of what is sent under a key, to tell another use of it. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex')
