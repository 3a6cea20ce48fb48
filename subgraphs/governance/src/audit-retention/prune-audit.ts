import type { Database } from '@tutti/prisma'
import { systemActor } from '@tutti/schema'
import { recordEvent } from '../audit/record-event.ts'
import { LEAST_DAYS, LOCK_RETENTION } from './retention-row.ts'

const BATCH = 500

/** What is due: too old for its class and its organization, and not held. Oldest of one class at a time. */
const DUE = `
  select a.organization_id as "organizationId", a.id
  from audit_entry a left join audit_retention r on r.organization_id = a.organization_id
  where a.significance = $1 and a.timestamp < clock_timestamp() - make_interval(days => $2::int)
    and a.timestamp < clock_timestamp() - make_interval(days => greatest($2::int, case $1
      when 'standard' then r.standard_days when 'significant' then r.significant_days else r.compliance_days end))
    and not audit_is_held(a.organization_id, a.subject, a.actor_id, a.on_behalf_of, a.domain, a.related_tasks, a.key_ids)
    and ($3::uuid is null or a.organization_id = $3)
  order by a.timestamp limit ${BATCH}`

interface Due {
  organizationId: string
  id: string
}

/**
 * Takes away entries whose time is over, of one organization and class, some hundred at once; what the chain says of them
 * stays, and that they were taken away is an event of it. Answers with how many: call again until none is left. Needs the
 * role `retention`. Events: audit.pruned.
 */
export async function pruneAudit({ database }: { database: Database }): Promise<number> {
  const pool = database.pool('retention')
  for (const [significance, days] of Object.entries(LEAST_DAYS)) {
    const { rows: first } = await pool.query<Due>(`${DUE.replace(/limit \d+/, 'limit 1')}`, [
      significance,
      days,
      null,
    ])
    const [due] = first
    if (!due) continue
    const pruned = await prune(database, due.organizationId, significance, days)
    if (pruned > 0) return pruned
  }
  return 0
}

async function prune(
  database: Database,
  organizationId: string,
  significance: string,
  days: number,
): Promise<number> {
  const client = await database.pool('retention').connect()
  let failed = true
  try {
    await client.query('begin')
    // Whoever puts a hold waits, or is seen.
    await client.query(LOCK_RETENTION, [organizationId])
    const { rows } = await client.query<{ timestamp: Date; position: string | null }>(
      `with due as (${DUE}), gone as (
         delete from audit_entry a using due where a.organization_id = due."organizationId" and a.id = due.id
         returning a.organization_id, a.id, a.timestamp)
       select gone.timestamp, (select e.seq::text from log.event e where e.organization_id = gone.organization_id
           and e.subject = 'audit/' || gone.id and e.run_id is null and e.type = 'audit.recorded' limit 1) as position
       from gone`,
      [significance, days, organizationId],
    )
    if (rows.length > 0) {
      const until = new Date(Math.max(...rows.map(({ timestamp }) => timestamp.getTime())))
      await recordEvent(client, systemActor(organizationId, 'retention'), {
        type: 'audit.pruned',
        subject: 'audit/retention',
        data: {
          significance,
          count: rows.length,
          until: until.toISOString(),
          events: inOrder(rows.flatMap(({ position }) => position ?? [])),
        },
      })
    }
    await client.query('commit')
    failed = false
    if (rows.length > 0) database.announce()
    return rows.length
  } finally {
    if (failed) await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

/** Numbers of events, from the first to the last. */
const inOrder = (positions: readonly string[]): string[] =>
  positions.toSorted((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
