import type { Actor } from '@tutti/schema'
import type pg from 'pg'

/** A firing to be noted. */
export interface NewFiring {
  organizationId: string
  id: string
  triggerId: string
  occurrence: string
  status: 'pending' | 'skipped' | 'failed'
  /** When its run is to be started, ISO 8601; null: now. Only while pending. */
  dueAt: string | null
  input: Record<string, unknown> | null
  error: { code: string; message: string } | null
  /** ISO 8601. */
  scheduledAt?: string
  missed?: number
  depth?: number
  /** Of a webhook, seconds since the epoch. */
  sentAt?: number
  bodyHash?: string
  firedBy?: Pick<Actor, 'id' | 'kind' | 'name'>
}

/**
 * Notes firings, each occurrence of a trigger once; those that begin no run are told in the same statement. Answers with
 * the ids that are new. Firings of a trigger that is gone are none. Events: trigger.skipped, trigger.failed.
 */
export async function insertFirings(
  client: Pick<pg.ClientBase, 'query'>,
  firings: readonly NewFiring[],
): Promise<Set<string>> {
  if (firings.length === 0) return new Set()
  const { rows } = await client.query<{ id: string }>(
    `with wanted as materialized (
       select x.*, t.name, t.workflow_id from jsonb_to_recordset($1::jsonb) as x("organizationId" uuid, id uuid,
         "triggerId" uuid, occurrence text, status text, "dueAt" timestamptz, input jsonb, error jsonb,
         "scheduledAt" timestamptz, missed int, depth int, "sentAt" bigint, "bodyHash" text, "firedBy" jsonb)
       join trigger t on t.organization_id = x."organizationId" and t.id = x."triggerId"
       order by t.organization_id, t.id, x.occurrence for key share of t
     ), fresh as (
       insert into trigger_firing (organization_id, id, trigger_id, occurrence, status, due_at, input, error, scheduled_at,
         missed, depth, sent_at, body_hash, fired_by)
       select "organizationId", id, "triggerId", occurrence, status,
         case when status = 'pending' then coalesce("dueAt", clock_timestamp()) end, input, error, "scheduledAt",
         coalesce(missed, 0), coalesce(depth, 0), "sentAt", "bodyHash", "firedBy" from wanted
       on conflict (organization_id, trigger_id, occurrence) do nothing
       returning *
     ), told as (
       insert into log.event (organization_id, type, subject, actor, data)
       select f.organization_id, 'trigger.' || f.status, 'trigger/' || f.trigger_id,
         coalesce(log.event_actor(f.fired_by), jsonb_build_object('id', 'trigger:' || f.trigger_id, 'kind', 'system', 'name', w.name)),
         jsonb_build_object('triggerId', f.trigger_id, 'name', w.name, 'workflowId', w.workflow_id, 'firingId', f.id,
           'occurrence', f.occurrence)
           || case f.status when 'skipped' then jsonb_build_object('missed', f.missed)
              else jsonb_build_object('error', f.error) end
       from fresh f join wanted w on w.id = f.id where f.status in ('skipped', 'failed') order by f.created_at, f.id
     )
     select id from fresh`,
    [JSON.stringify(firings)],
  )
  return new Set(rows.map((row) => row.id))
}
