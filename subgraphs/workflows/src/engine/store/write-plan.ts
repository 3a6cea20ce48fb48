import { eventActor } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { StrandChange } from './strand-change.ts'
import { ANSWER, PARENTS_ANSWER, PARTS } from './write-parts.ts'

/** Everything one moment writes, for any number of strands, runs and tenants; at most one change a strand. */
export interface WritePlan {
  changes: StrandChange[]
}

/** What a plan came to. */
export interface Written {
  /** Strands whose change was written. */
  written: ReadonlySet<string>
  /** Parents that were woken: all their children that matter have arrived. */
  woken: string[]
  /** Parents that have room for more of their children. */
  roomy: { organizationId: string; id: string }[]
}

/**
 * One statement. The run rows are locked before the strands, so that an act of control (which locks the run for update)
 * is either seen whole or waits; everything else hangs on `gate`, which passes only strands whose fence and epoch hold,
 * and nothing that would go on at once with work that was ordered to stop: planned again, it is left to the queue.
 */
const GATE = `
with gate as materialized (
  select x.* from jsonb_to_recordset($1::jsonb) as x(o uuid, id uuid, run uuid, fence bigint, epoch int, gone bool,
    keep bool, status text, due_at timestamptz, due_ms float8, task uuid, agent uuid, patch jsonb, resume jsonb, wait text,
    pending int, needed int, fast bool, width int, recoveries int, t_id uuid, t_status text, t_output jsonb, t_error jsonb,
    t_cost numeric, t_arrival jsonb, t_approval uuid, t_over bool, t_agent jsonb, t_version int, t_recovery jsonb, r_status text, r_output jsonb,
    r_error jsonb, r_state jsonb, r_over bool, parent uuid, ok bool, tasks jsonb, strands jsonb, runs jsonb, events jsonb,
    wakes jsonb)
  join run r on r.id = x.run and r.organization_id is not distinct from x.o and r.epoch = x.epoch
  join strand s on s.id = x.id and s.organization_id is not distinct from x.o and s.fence = x.fence
  where not exists (select from containment where lifted_at is null)
    or not tutti_begins_contained(x.o, s.workflow_id, s.run_id, x.keep, x.agent, x.strands)
  order by r.id, s.id for key share of r for no key update of s
)`

const { moved, gone, settled, begun, runMoved, runPaid, told } = PARTS
const statement = (name: string, parts: readonly string[], answer: string) => ({
  name: `engine-write-${name}`,
  text: [GATE, ...parts].join(', ') + answer,
})

/** From step to step of one line; to a run's end; and everything there is. */
const STATEMENTS = {
  line: statement('line', [moved, settled, begun, told], ANSWER),
  end: statement('end', [moved, gone, settled, begun, runMoved, runPaid, told], ANSWER),
  all: statement('all', Object.values(PARTS), ANSWER + PARENTS_ANSWER),
}

function statementFor(changes: readonly StrandChange[]): (typeof STATEMENTS)['line'] {
  let kind: keyof typeof STATEMENTS = 'line'
  for (const { strands, runs, wakes, parent, gone, r_status, t_cost } of changes) {
    if (parent || strands || runs || wakes) return STATEMENTS.all
    if (gone || r_status || t_cost) kind = 'end'
  }
  return STATEMENTS[kind]
}

/**
 * Writes a plan in one statement, which commits by itself unless the client is in a transaction. Changes whose strand
 * has another fence, or whose run another epoch, are left out and missing in the answer.
 */
export async function writePlan(
  client: Pick<pg.ClientBase, 'query'>,
  { changes }: WritePlan,
  actor: Pick<Actor, 'id' | 'kind' | 'name'>,
): Promise<Written> {
  const { rows } = await client.query<{ id: string; what: string; o: string }>({
    ...statementFor(changes),
    values: [JSON.stringify(changes), JSON.stringify(eventActor(actor))],
  })
  const written = new Set<string>()
  const woken: string[] = []
  const roomy: Written['roomy'] = []
  for (const { id, what, o } of rows) {
    if (what === 'written') written.add(id)
    else if (what === 'woken') woken.push(id)
    else roomy.push({ organizationId: o, id })
  }
  return { written, woken, roomy }
}
