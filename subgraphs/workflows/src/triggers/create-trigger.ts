import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { v7 as uuidv7 } from 'uuid'
import type { Services } from '../context.ts'
import { tellChange } from './lock-trigger.ts'
import { makeWebhook, type WebhookSecret } from './make-webhook.ts'
import { nextTime } from './next-time.ts'
import { readTriggerSettings } from './read-trigger-settings.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** A trigger, and the secret of its webhook when it is new. */
export interface MadeTrigger {
  trigger: TriggerRow
  webhook: WebhookSecret | null
}

/**
 * Makes a trigger; it fires from now on. Events: trigger.changed. BAD_INPUT with all mistakes, NOT_FOUND for an unknown
 * workflow, CONFLICT when the name is taken.
 */
export async function createTrigger(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  input: { workflowId: string },
): Promise<MadeTrigger> {
  const settings = readTriggerSettings(input)
  if (!isId(input.workflowId)) fail('NOT_FOUND', { path: 'input.workflowId' })
  const id = uuidv7()
  const webhook = settings.kind === 'webhook' ? makeWebhook(secret, id, settings) : null
  const trigger = await database.inTenant(actor, async (tx) => {
    const workflows = await tx.sql(
      'select id from workflow where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      input.workflowId,
    )
    if (workflows.length === 0) fail('NOT_FOUND', { path: 'input.workflowId' })
    const [row] = await tx.sql<TriggerRow>(
      `insert into trigger as t (organization_id, id, workflow_id, name, kind, status, cron, time_zone, missed, catch_up,
         jitter_ms, next_at, event_type, filter, path_hash, signing_secret, input, expressions, idempotency_key, priority,
         max_per_minute)
       values ($1::uuid, $2::uuid, $3::uuid, $4, $5, 'active', $6, $7, $8, $9::int, $10::int, $11::timestamptz, $12, $13,
         $14, $15, $16::jsonb, $17::jsonb, $18, $19::int, $20::int)
       on conflict (organization_id, name) do nothing returning ${TRIGGER_COLUMNS}`,
      actor.organizationId,
      id,
      input.workflowId,
      settings.name,
      settings.kind,
      settings.cron,
      settings.timeZone,
      settings.missed,
      settings.catchUp,
      settings.jitterMs,
      await nextTime(tx, settings),
      settings.eventType,
      settings.filter,
      webhook?.stored.pathHash ?? null,
      webhook?.stored.signingSecret ?? null,
      settings.input && JSON.stringify(settings.input),
      settings.expressions && JSON.stringify(settings.expressions),
      settings.idempotencyKey,
      settings.priority,
      settings.maxPerMinute,
    )
    if (!row) return fail('CONFLICT', { path: 'input.name', message: 'There is a trigger of this name.' })
    await tellChange(tx, row, 'created')
    return row
  })
  return { trigger, webhook: webhook?.shown ?? null }
}
