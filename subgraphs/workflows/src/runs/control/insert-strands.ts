import type pg from 'pg'

/** A strand with which a run is taken up by hand. Its place in the queue is its run's. */
export interface NewStrandRow {
  id: string
  status: 'ready' | 'waiting' | 'held'
  state: Readonly<Record<string, unknown>>
  /** Of the tasks it comes to. */
  generation: number
  parent?: string
  parent_task?: string
  compound?: string
  key?: string
  position?: number
  path?: string
  task?: string
  /** A core event, for who claims it. */
  resume?: unknown
  pending?: number
  needed?: number
  fast?: boolean
  width?: number
  /** What its run counts under, where its definition limits by key. */
  limit_key?: string | undefined
  /** True: its run goes on whatever limits on runs say; it has its place. */
  has_place?: boolean
}

/** Inserts strands of one run. */
export async function insertStrands(
  client: Pick<pg.ClientBase, 'query'>,
  organizationId: string,
  runId: string,
  strands: readonly NewStrandRow[],
): Promise<void> {
  await client.query(
    `insert into strand (organization_id, id, run_id, workflow_id, parent_id, parent_task_id, compound, key, position, path,
       state, task_id, status, due_at, resume, pending, needed, fail_fast, width, limit_key, wait_key, priority, generation)
     select r.organization_id, n.id, r.id, r.workflow_id, n.parent, n.parent_task, n.compound, n.key, n.position,
       coalesce(n.path, ''), n.state, n.task, n.status,
       case when n.status = 'ready' then r.created_at - r.priority * interval '1 hour' end, n.resume,
       coalesce(n.pending, 0), coalesce(n.needed, 0), coalesce(n.fast, false), n.width, n.limit_key,
       case when n.has_place then 'slot:taken' end, r.priority, n.generation
     from run r, jsonb_to_recordset($3::jsonb) as n(id uuid, parent uuid, parent_task uuid, compound text, key text,
       position int, path text, state jsonb, task uuid, status text, resume jsonb, pending int, needed int, fast bool,
       width int, limit_key text, has_place bool, generation int)
     where r.organization_id = $1 and r.id = $2`,
    [organizationId, runId, JSON.stringify(strands)],
  )
}
