/** What a limit is about: everything of the organization, one workflow, one agent, or the runs of one key. */
export type LimitScope = 'organization' | 'workflow' | 'agent' | 'key'

/**
 * What it counts. `tasks`: strands under way, and agents' attempts that begin. `runs`: runs begun and not over.
 * `cost`: what the organization's day has cost.
 */
export type LimitCounts = 'tasks' | 'runs' | 'cost'

/** Who set it, and alone changes it; `instances` is what an agent's instances take, or that it is on its way out. */
export type LimitSource = 'settings' | 'definition' | 'api' | 'instances'

/** What a limit says. Of the three bounds at least one is set. */
export interface LimitRule {
  /** Unique among those of its source. */
  name: string
  scope: LimitScope
  /** The workflow's or agent's id, or the key's value; empty for the organization. */
  subject: string
  counts: LimitCounts
  /** A definition's expression: its runs are counted for each value of it. */
  perKey: string | null
  /** At once. */
  maxRunning: number | null
  /** A bucket of `starts`, full at first and filled evenly in `perSeconds`. */
  rate: { starts: number; perSeconds: number } | null
  /** US dollars of one day in the organization's time zone. */
  maxCostUsd: number | null
}

/** A limit as it is stored. */
export interface LimitRow extends Omit<LimitRule, 'rate'> {
  id: string
  source: LimitSource
  maxStarts: number | null
  perSeconds: number | null
  createdAt: Date
  updatedAt: Date
}

/** Columns of a {@link LimitRow}. */
export const LIMIT_COLUMNS = `id, name, source, scope, subject, counts, per_key as "perKey", max_running as "maxRunning",
  max_starts as "maxStarts", per_seconds as "perSeconds", max_cost_usd::float8 as "maxCostUsd",
  created_at as "createdAt", updated_at as "updatedAt"`

/** A rule about the whole organization with nothing in it yet. */
export const organizationRule = (name: string, counts: LimitCounts): LimitRule => ({
  name,
  scope: 'organization',
  subject: '',
  counts,
  perKey: null,
  maxRunning: null,
  rate: null,
  maxCostUsd: null,
})
