import type { Database } from '@tutti/prisma'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

/** Who in an organization waits for events: its event triggers, and the keys of its runs' waits. */
export interface Interest {
  triggers: readonly TriggerRow[]
  waitKeys: ReadonlySet<string>
}

/** Interests as the reader of the log knows them: read when an organization's first event comes, kept while nothing changes. */
export interface EventInterest {
  /** Reads what is not known of these organizations. */
  of(organizations: readonly string[]): Promise<ReadonlyMap<string, Interest>>
  /** Of this organization something has changed; of all, unless one is named. */
  forget(organizationId?: string): void
}

const MOST = 10_000

/** What it knows is good only while this process reads every event: call `forget` where reading begins anew. */
export function createEventInterest(database: Database): EventInterest {
  const known = new Map<string, Interest>()

  async function read(organizations: readonly string[]): Promise<void> {
    const pool = database.pool('worker')
    const triggers = await pool.query<TriggerRow>({
      name: 'trigger-interest',
      text: `select ${TRIGGER_COLUMNS} from unnest($1::uuid[]) as x(o) join trigger t on t.organization_id = x.o
             where t.kind = 'event' and t.status = 'active'`,
      values: [organizations],
    })
    const waits = await pool.query<{ o: string; key: string }>({
      name: 'wait-interest',
      text: `select distinct s.organization_id as o, s.wait_key as key from unnest($1::uuid[]) as x(o)
             join strand s on s.organization_id = x.o and s.wait_key like 'event:%'`,
      values: [organizations],
    })
    for (const id of organizations) {
      known.set(id, {
        triggers: triggers.rows.filter(({ organizationId }) => organizationId === id),
        waitKeys: new Set(waits.rows.flatMap(({ o, key }) => (o === id ? [key] : []))),
      })
    }
  }

  return {
    async of(organizations) {
      if (known.size > MOST) known.clear()
      const missing = organizations.filter((id) => !known.has(id))
      if (missing.length > 0) await read(missing)
      return known
    },
    forget(organizationId) {
      if (organizationId === undefined) known.clear()
      else known.delete(organizationId)
    },
  }
}
