import type { Database } from '@tutti/prisma'
import type pg from 'pg'

const TRUST_MS = 1_000
const MOST = 10_000

/** What the settings say for runs and steps that say nothing themselves; null: nothing. Milliseconds. */
export interface EngineDefaults {
  /** Of a run's own time: `workflow_timeout_minutes`. */
  runTimeoutMs: number | null
  /** Of one attempt: `agent_response_timeout_seconds`. */
  attemptTimeoutMs: number | null
}

/** The defaults by organization, remembered for a second. */
export interface EngineDefaultsMemory {
  of(client: Pick<pg.ClientBase, 'query'>, organizationId: string): Promise<EngineDefaults>
  /** The settings have changed. */
  forget(): void
}

export function createEngineDefaults(now: () => number = () => performance.now()): EngineDefaultsMemory {
  const known = new Map<string, { defaults: EngineDefaults; until: number }>()
  return {
    async of(client, organizationId) {
      const entry = known.get(organizationId)
      if (entry && entry.until > now()) return entry.defaults
      const { rows } = await client.query<{ minutes: number | null; seconds: number | null }>({
        name: 'settings-defaults',
        text: `select (p.performance->>'workflow_timeout_minutes')::float8 as minutes,
            (p.performance->>'agent_response_timeout_seconds')::float8 as seconds
          from (select in_force->'orchestrator_config'->'performance' as performance from engine_settings
            where organization_id = $1 order by version desc limit 1) p`,
        values: [organizationId],
      })
      const { minutes = null, seconds = null } = rows[0] ?? {}
      const defaults = {
        runTimeoutMs: minutes === null ? null : Math.round(minutes * 60_000),
        attemptTimeoutMs: seconds === null ? null : Math.round(seconds * 1_000),
      }
      if (known.size >= MOST) known.clear()
      known.set(organizationId, { defaults, until: now() + TRUST_MS })
      return defaults
    },
    forget: () => known.clear(),
  }
}

const memories = new WeakMap<Database, EngineDefaultsMemory>()

/** The one memory of defaults of a database in this process. */
export function engineDefaultsOf(database: Database): EngineDefaultsMemory {
  const before = memories.get(database)
  if (before) return before
  const memory = createEngineDefaults()
  memories.set(database, memory)
  return memory
}
