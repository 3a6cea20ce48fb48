import { createHash } from 'node:crypto'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { isPlatformType } from '../engine/event-facts.ts'
import { isEventType } from './event-type.ts'
import { isStorableText, unstorable } from './unstorable.ts'

const text = (most: number) =>
  z
    .string()
    .min(1, 'It must not be empty.')
    .max(most, `It has at most ${most} characters.`)
    .refine(isStorableText, 'It holds a NUL character or half of a surrogate pair, which cannot be stored.')

const inputSchema = z.object({
  type: z
    .string()
    .refine(
      isEventType,
      'A type is words between dots, at most 200 characters, as com.example.order.created.',
    )
    .refine((type) => !isPlatformType(type), {
      message: 'Types beginning so are the platform’s own: begin with a name of yours, as com.example.',
    }),
  source: text(500),
  id: text(200),
  subject: text(500).nullish(),
  data: z
    .unknown()
    .superRefine((data, context) => {
      const problem = unstorable(data)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .optional(),
  time: z.date().nullish(),
  runId: z.string().refine(isId, 'This is no id of a run.').nullish(),
})

export interface PublishedEvent {
  id: string
  /** False when it had been published before. */
  created: boolean
}

/**
 * Adds an integrator's event to the organization's log, once for its source and id. Events: integration.event. BAD_INPUT
 * with all mistakes, NOT_FOUND for a run that is not there, IDEMPOTENCY_KEY_REUSED when the source gave the id to another.
 */
export async function publishEvent(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  input: unknown,
): Promise<PublishedEvent> {
  const { type, source, id, subject = null, data = null, time, runId = null } = parseInput(inputSchema, input)
  const event = { type, source, id, subject, data, time: time?.toISOString() ?? null, runId }
  const hash = createHash('sha256').update(canonicalJson(event)).digest('base64url')
  const { organizationId } = actor
  return database.inTenant(actor, async (tx) => {
    if (runId !== null) {
      const runs = await tx.sql(
        'select id from run where organization_id = $1::uuid and id = $2::uuid',
        organizationId,
        runId,
      )
      if (runs.length === 0) fail('NOT_FOUND', { path: 'input.runId' })
    }
    const fresh = await tx.sql(
      `insert into integration_event (organization_id, source, event_id, request_hash) values ($1::uuid, $2, $3, $4)
       on conflict do nothing returning event_id`,
      organizationId,
      source,
      id,
      hash,
    )
    if (fresh.length > 0) {
      await tx.appendEvent({ type: 'integration.event', subject: `event/${id}`, data: event })
      return { id, created: true }
    }
    const [known] = await tx.sql<{ hash: string }>(
      'select request_hash as hash from integration_event where organization_id = $1::uuid and source = $2 and event_id = $3',
      organizationId,
      source,
      id,
    )
    if (known?.hash !== hash) fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.id' })
    return { id, created: false }
  })
}
