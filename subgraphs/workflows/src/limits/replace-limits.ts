import type { TenantTransaction } from '@tutti/prisma'
import type { LimitRule, LimitSource } from './limit-rule.ts'

const UPSERT = `
insert into engine_limit (organization_id, name, source, scope, subject, counts, per_key, max_running, max_starts,
  per_seconds, max_cost_usd, tokens)
select $1::uuid, x.name, $2, x.scope, x.subject, x.counts, x."perKey", x."maxRunning", x.starts, x."perSeconds",
  x."maxCostUsd", coalesce(x.starts, 0)
from jsonb_to_recordset($3::jsonb) as x(name text, scope text, subject text, counts text, "perKey" text,
  "maxRunning" int, starts int, "perSeconds" int, "maxCostUsd" numeric)
on conflict (organization_id, source, name) do update set scope = excluded.scope, subject = excluded.subject,
  counts = excluded.counts, per_key = excluded.per_key, max_running = excluded.max_running,
  max_starts = excluded.max_starts, per_seconds = excluded.per_seconds, max_cost_usd = excluded.max_cost_usd,
  tokens = case when engine_limit.max_starts is null then excluded.tokens
    else least(engine_limit.tokens, excluded.tokens) end,
  updated_at = now()`

/** Sets limits of one source; those of the same names are replaced. A bucket that is changed is not filled by it. */
export async function upsertLimits(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  source: LimitSource,
  rules: readonly LimitRule[],
): Promise<void> {
  if (rules.length === 0) return
  const rows = rules.map(({ rate, ...rule }) => ({
    ...rule,
    starts: rate?.starts,
    perSeconds: rate?.perSeconds,
  }))
  await tx.sql(UPSERT, tx.actor.organizationId, source, JSON.stringify(rows))
}

/** Makes these the only limits of a source, or of a source for one subject. */
export async function replaceLimits(
  tx: Pick<TenantTransaction, 'sql' | 'actor'>,
  { source, subject = null }: { source: LimitSource; subject?: string | null },
  rules: readonly LimitRule[],
): Promise<void> {
  await tx.sql(
    `delete from engine_limit where organization_id = $1::uuid and source = $2 and ($3::text is null or subject = $3)
     and name <> all($4::text[])`,
    tx.actor.organizationId,
    source,
    subject,
    rules.map(({ name }) => name),
  )
  await upsertLimits(tx, source, rules)
}
