import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { referencesOf } from './references-of.ts'

/** A workflow and the version that a start of it runs, or a trigger and SHA-256 of what its firings start. */
export type Standing =
  | { readonly workflow: string; readonly version: number | null }
  | { readonly trigger: string; readonly settings: string }

/** They run whatever the things that they name are by then. */
const STARTING = new Set(['startRun', 'startRuns', 'fireTrigger'])

/** What the things stand at now that mutations which start runs name, in their order; of other mutations nothing. */
export async function standsAt(
  { database }: DomainServices,
  actor: Actor,
  mutations: readonly { field: string; arguments: Readonly<Record<string, unknown>> }[],
): Promise<Standing[][]> {
  const references = mutations.flatMap((mutation, call) =>
    STARTING.has(mutation.field)
      ? referencesOf(mutation.field, mutation.arguments).map((each) => ({ ...each, call }))
      : [],
  )
  if (references.length === 0) return mutations.map(() => [])
  const found = await database.readTenant<{ call: number; standing: Standing }>(actor, STANDING, [
    actor.organizationId,
    JSON.stringify(references),
  ])
  return mutations.map((_, place) =>
    found.filter(({ call }) => call === place).map(({ standing }) => standing),
  )
}

const STANDING = `with given as materialized (
    select call, kind, id, name from jsonb_to_recordset($2::jsonb) as r (call int, kind text, id uuid, name text)
  ), fired as (
    select g.call, t.* from given g join trigger t on t.organization_id = $1 and t.id = g.id where g.kind = 'trigger'
  ), started as (
    select g.call, w.id, w.name, w.published_version from given g
      join workflow w on w.organization_id = $1 and (w.id = g.id or w.name = g.name) where g.kind = 'workflow'
    union
    select f.call, w.id, w.name, w.published_version from fired f
      join workflow w on w.organization_id = $1 and w.id = f.workflow_id
  )
  select call, standing from (
    select call, id, jsonb_build_object('workflow', name, 'version', published_version) as standing from started
    union all
    select call, id, jsonb_build_object('trigger', name, 'settings', encode(sha256(convert_to(jsonb_build_array(
      workflow_id, kind, input, expressions, filter, idempotency_key, priority)::text, 'UTF8')), 'hex')) from fired
  ) stands order by call, id`
