import { type EventRecord, systemActor } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { acceptsEvent } from './core/index.ts'
import { type EventFacts, eventFacts } from './event-facts.ts'
import { engineMemoryOf } from './store/engine-memory.ts'

interface WaitingStrand {
  id: string
  run_id: string
  task_id: string
  node_id: string
  input: Record<string, unknown>
  version_id: string
}

const PAGE = 500

/**
 * Lets the strands go on that wait for this event: those whose wait had begun when it happened, was not over by then, and
 * whose filter takes it. Handled again it wakes nobody, not even a later wait for the same. Answers with how many.
 */
export async function wakeEventWaits(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  event: EventRecord,
): Promise<number> {
  const { definitions } = engineMemoryOf(database)
  const { organizationId } = event
  const actor = systemActor(organizationId, 'worker')
  const facts = eventFacts(event)
  let woken = 0
  for (let after = FIRST; ;) {
    const page = await database.transact(actor, async (client) => {
      const waiting = await readWaiting(client, event, facts.type, after)
      const known = await definitions.get(
        client,
        waiting.map((strand) => ({ organizationId, id: strand.version_id })),
      )
      const meant = waiting.filter(({ version_id, node_id, input }) => {
        const definition = known.get(version_id)
        return definition !== undefined && acceptsEvent(definition, node_id, input, { ...facts })
      })
      woken += await wakeStrands(client, organizationId, meant, facts)
      return waiting
    })
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    after = last.id
  }
  if (woken > 0) wake()
  return woken
}

const FIRST = '00000000-0000-0000-0000-000000000000'

async function readWaiting(
  client: pg.PoolClient,
  { organizationId, time }: EventRecord,
  type: string,
  after: string,
): Promise<WaitingStrand[]> {
  const { rows } = await client.query<WaitingStrand>(
    `select s.id, s.run_id, s.task_id, t.node_id, t.input, r.version_id from strand s
     join task t on t.organization_id = s.organization_id and t.id = s.task_id
     join run r on r.organization_id = s.organization_id and r.id = s.run_id
     where s.organization_id = $1 and s.wait_key = $2 and s.status = 'waiting' and s.id > $4
       and t.created_at <= $3 and (s.due_at is null or s.due_at > $3)
     order by s.id limit ${PAGE}`,
    [organizationId, `event:${type}`, time, after],
  )
  return rows
}

/** Runs before strands, as every act of control locks them; a paused run's strand is held until the run is resumed. */
async function wakeStrands(
  client: pg.PoolClient,
  organizationId: string,
  strands: readonly WaitingStrand[],
  facts: EventFacts,
): Promise<number> {
  if (strands.length === 0) return 0
  const runs = await client.query<{ id: string; status: string }>(
    'select id, status from run where organization_id = $1 and id = any($2::uuid[]) order by id for key share',
    [organizationId, [...new Set(strands.map((strand) => strand.run_id))]],
  )
  const paused = runs.rows.flatMap(({ id, status }) => (status === 'paused' ? [id] : []))
  const { rowCount } = await client.query(
    `with mine as materialized (
       select s.id, t.node, s.run_id = any($5::uuid[]) as paused
       from jsonb_to_recordset($2::jsonb) as t(id uuid, task uuid, node text)
       join strand s on s.organization_id = $1 and s.id = t.id
       where s.task_id = t.task and s.status = 'waiting' and s.wait_key = $3
       order by s.id for no key update of s
     )
     update strand s set status = case when mine.paused then 'held' else 'ready' end,
       due_at = case when mine.paused then null else clock_timestamp() end,
       resume = jsonb_build_object('type', 'wait_over', 'node', mine.node, 'payload', $4::jsonb),
       wait_key = null, fence = s.fence + 1
     from mine where s.organization_id = $1 and s.id = mine.id`,
    [
      organizationId,
      JSON.stringify(strands.map(({ id, task_id, node_id }) => ({ id, task: task_id, node: node_id }))),
      `event:${facts.type}`,
      JSON.stringify(facts),
      paused,
    ],
  )
  return rowCount ?? 0
}
