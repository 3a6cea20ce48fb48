import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'
import { WORKER_ACTOR } from '../worker/worker-actor.ts'
import { claimStrands } from './claim-strands.ts'

const LOOKING = 7_885_101
let engine: Engine
let owner: pg.Client
beforeAll(async () => {
  engine = await openEngine()
  owner = new pg.Client({ connectionString: engine.world.url })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await engine[Symbol.asyncDispose]()
})

const claim = (client: Pick<pg.ClientBase, 'query'>, organizationId: string, id: string) =>
  claimStrands(client, { limit: 8, claim: id, actor: WORKER_ACTOR }).then((rows) =>
    rows.filter((row) => row.organization_id === organizationId),
  )

test('a strand that went on since a claim looked at it is left to the next claim, which sees its new task', async () => {
  const actor = await engine.organization('alpha')
  const { organizationId } = actor
  await engine.start(
    actor,
    'format: tutti/1\nname: pair\nsteps: [{ name: first, agent: alpha }, { name: second, agent: alpha }]',
  )
  // An order to stop something else: claims ask a function whether it is theirs, and this one takes its time to answer.
  await owner.query(
    `insert into containment (organization_id, scope, target_id, reason, ordered_by)
     values ($1, 'workflow', uuidv7(), 'test', '{}')`,
    [organizationId],
  )
  await owner.query(
    `create or replace function tutti_contained(organization uuid, workflow uuid, agent uuid, run uuid) returns boolean
     language plpgsql volatile as $$ begin
       if current_setting('application_name') = 'slow' then
         perform pg_advisory_lock_shared(${LOOKING}), pg_advisory_unlock_shared(${LOOKING});
       end if;
       return false;
     end $$`,
  )
  const slow = await engine.world.database.pool('worker').connect()
  try {
    await slow.query("set application_name = 'slow'")
    await owner.query(`select pg_advisory_lock(${LOOKING})`)
    const looking = claim(slow, organizationId, '00000000-0000-4000-8000-000000000001')
    for (let waits = 0; waits === 0;) {
      const { rowCount } = await owner.query(
        `select from pg_locks where locktype = 'advisory' and objid = ${LOOKING} and not granted`,
      )
      waits = rowCount ?? 0
    }
    // Meanwhile another worker has claimed the strand, and written its step's end and the next step.
    await owner.query(
      `with next as (
         insert into task (organization_id, id, run_id, step_path, node_id, kind, agent_name, status, input, timeout_ms)
         select s.organization_id, uuidv7(), s.run_id, 'second', 'second', 'agent', 'alpha', 'ready', '{}', 1000
         from strand s where s.organization_id = $1 returning organization_id, id
       )
       update strand s set task_id = n.id, fence = s.fence + 2 from next n where s.organization_id = n.organization_id`,
      [organizationId],
    )
    await owner.query(`select pg_advisory_unlock(${LOOKING})`)
    expect(await looking).toEqual([])
    const [claimed] = await claim(slow, organizationId, '00000000-0000-4000-8000-000000000002')
    expect(claimed).toMatchObject({ step_path: 'second', attempt: 1 })
  } finally {
    await slow.query('reset application_name')
    slow.release()
  }
})

test('a lease that ran out is claimed before the older strands that nobody has begun', async () => {
  const actor = await engine.organization('alpha')
  const { organizationId } = actor
  const definition = 'format: tutti/1\nname: one\nsteps: [{ name: only, agent: alpha }]'
  for (let run = 0; run < 12; run += 1) await engine.start(actor, definition)
  const lost = await owner.query<{ id: string }>(
    `update strand set status = 'running', due_at = clock_timestamp() - interval '1 millisecond'
     where id = (select max(id::text)::uuid from strand where organization_id = $1) returning id`,
    [organizationId],
  )
  await owner.query(
    `update strand set due_at = clock_timestamp() - interval '1 hour' where organization_id = $1 and status = 'ready'`,
    [organizationId],
  )
  const pool = engine.world.database.pool('worker')
  const taken = await claim(pool, organizationId, '00000000-0000-4000-8000-000000000003')
  expect(taken).toHaveLength(8)
  expect(taken.filter(({ recoveries }) => recoveries === 1).map(({ id }) => id)).toEqual([lost.rows[0]?.id])
})
