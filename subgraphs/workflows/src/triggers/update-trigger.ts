import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import type { MadeTrigger } from './create-trigger.ts'
import { lockTrigger, tellChange } from './lock-trigger.ts'
import { makeWebhook, type StoredWebhook, type WebhookSecret } from './make-webhook.ts'
import { nextTime } from './next-time.ts'
import { readTriggerSettings, type TriggerSettings } from './read-trigger-settings.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'
import { seal } from './webhook-secret.ts'

/** What is given changes, null takes a setting back to what it is unless said. */
export interface TriggerChange {
  id: string
  signed?: boolean | null
  signingSecret?: string | null
  newSecret?: boolean | null
}

/**
 * Changes a trigger. A schedule with another cron or time zone begins anew from now. Events: trigger.changed. NOT_FOUND,
 * BAD_INPUT with all mistakes of the trigger as it would be, CONFLICT when the name is taken.
 */
export async function updateTrigger(
  { database, secret }: Pick<Services, 'database' | 'secret'>,
  actor: Actor,
  { id, newSecret, ...change }: TriggerChange,
): Promise<MadeTrigger> {
  return database.inTenant(actor, async (tx) => {
    const row = await lockTrigger(tx, id)
    const settings = readTriggerSettings({ ...asInput(row), ...given(change) })
    if (newSecret && row.kind !== 'webhook') {
      fail('BAD_INPUT', { path: 'input.newSecret', message: 'This belongs to webhook triggers only.' })
    }
    const taken = await tx.sql(
      'select id from trigger where organization_id = $1::uuid and name = $2 and id <> $3::uuid',
      actor.organizationId,
      settings.name,
      id,
    )
    if (taken.length > 0)
      fail('CONFLICT', { path: 'input.name', message: 'There is a trigger of this name.' })
    const webhook = changedWebhook(secret, row, settings, newSecret === true)
    const anew = settings.cron !== row.cron || settings.timeZone !== row.timeZone
    const [trigger] = await tx.sql<TriggerRow>(
      `update trigger as t set name = $3, cron = $4, time_zone = $5, missed = $6, catch_up = $7::int, jitter_ms = $8::int,
         next_at = $9::timestamptz, event_type = $10, filter = $11, path_hash = coalesce($12, t.path_hash),
         signing_secret = $13, input = $14::jsonb, expressions = $15::jsonb, idempotency_key = $16, priority = $17::int,
         max_per_minute = $18::int, tokens = case when $18::int is not distinct from t.max_per_minute then t.tokens end,
         updated_at = clock_timestamp(),
         active_from = case when $10 is distinct from t.event_type then clock_timestamp() else t.active_from end
       where t.organization_id = $1::uuid and t.id = $2::uuid returning ${TRIGGER_COLUMNS}`,
      actor.organizationId,
      id,
      settings.name,
      settings.cron,
      settings.timeZone,
      settings.missed,
      settings.catchUp,
      settings.jitterMs,
      anew && row.status === 'active' ? await nextTime(tx, settings) : row.nextAt,
      settings.eventType,
      settings.filter,
      webhook.stored.pathHash,
      webhook.stored.signingSecret,
      settings.input && JSON.stringify(settings.input),
      settings.expressions && JSON.stringify(settings.expressions),
      settings.idempotencyKey,
      settings.priority,
      settings.maxPerMinute,
    )
    if (!trigger) return fail('NOT_FOUND', { path: 'input.id' })
    await tellChange(tx, trigger, 'updated')
    return { trigger, webhook: webhook.shown }
  })
}

/** A trigger as somebody would write it. */
function asInput(row: TriggerRow): Record<string, unknown> {
  const { name, kind, cron, timeZone, missed, catchUp, jitterMs, eventType, filter } = row
  const { input, expressions, idempotencyKey, priority, signingSecret } = row
  const settings = { name, kind, input, expressions, idempotencyKey, priority }
  switch (kind) {
    case 'schedule':
      return { ...settings, cron, timeZone, missed, catchUp, jitterSeconds: jitterMs / 1_000 }
    case 'event':
      return { ...settings, eventType, filter }
    case 'webhook':
      return { ...settings, signed: signingSecret !== null, maxPerMinute: row.maxPerMinute }
  }
}

/** What was given, null included. Another policy for missed times leaves the bound of `all` behind. */
function given(change: object): Record<string, unknown> {
  const fields = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  return 'missed' in fields && fields['missed'] !== 'all' && !('catchUp' in fields)
    ? { ...fields, catchUp: null }
    : fields
}

function changedWebhook(
  secret: string,
  row: TriggerRow,
  settings: TriggerSettings,
  anew: boolean,
): { shown: WebhookSecret | null; stored: Omit<StoredWebhook, 'pathHash'> & { pathHash: string | null } } {
  if (anew || (settings.signed && row.signingSecret === null)) return makeWebhook(secret, row.id, settings)
  const { signed, signingSecret } = settings
  const kept = signingSecret === null ? row.signingSecret : seal(secret, row.id, signingSecret)
  return { shown: null, stored: { pathHash: null, signingSecret: signed ? kept : null } }
}
