import { authorize } from '@tutti/governance/domain'
import { openTestDatabase, testActor } from '@tutti/prisma/testing'
import { ACTIONS } from '@tutti/schema'
import { type Bench, interleave, percentile, type Round } from './bench.ts'
import { startTestPostgres } from './start-postgres.ts'

const POLICIES = 500
/** Of them so many are about every action. */
const ABOUT_ALL = 20
const WARM = 2_000
/** Decisions in a row before others may go on, as a busy process has it. */
const AT_ONCE = 100

/**
 * Rulings in process (`authorize`: matrix, policies, the decision kept for replays) with 500 active policies, each with a
 * condition, over all actions of the catalogue in turn. `decision_p99`: time of one call; `decisions`: calls a second on
 * one thread; `decision_cpu`: what one takes of a processor, which a busy machine does not change much.
 */
export const bench: Bench = {
  name: 'policy',
  async run(context) {
    await using _postgres = await startTestPostgres()
    await using world = await openTestDatabase()
    const actor = await world.organization('admin')
    await world.database.inTenant(actor, (tx) => tx.sql(INSERT, actor.organizationId, Object.keys(ACTIONS)))
    const operator = testActor('operator', actor.organizationId)
    const actions = Object.keys(ACTIONS)
    const decide = (number: number) =>
      authorize(world, operator, {
        action: actions[number % actions.length] ?? '',
        resource: {
          type: 'order',
          id: String(number),
          domain: `d${number % 10}`,
          attributes: { region: 'eu' },
        },
        arguments: { order: number, lines: [{ price: 12.5 }, { price: number }] },
        context: { amount: number % 2_000, risk: 'medium', classification: 'internal' },
      })
    for (let number = 0; number < WARM; number++) await decide(number)
    const tutti = async (): Promise<Round> => {
      const decisions = context.quick ? 50_000 : 200_000
      const latencies: number[] = []
      const rulings = new Set<string>()
      const cpu = process.cpuUsage()
      const began = performance.now()
      for (let number = 0; number < decisions; number++) {
        const started = performance.now()
        rulings.add((await decide(number)).ruling)
        latencies.push(performance.now() - started)
        if (number % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const seconds = (performance.now() - began) / 1_000
      const { user, system } = process.cpuUsage(cpu)
      if (rulings.size < 3) throw new Error(`Only ${[...rulings].join()} was ruled.`)
      return {
        decision_p99: { value: percentile(latencies, 0.99), unit: 'ms' },
        decisions: { value: decisions / seconds, unit: '1/s' },
        decision_cpu: { value: (user + system) / decisions, unit: 'µs' },
      }
    }
    await interleave(context, { tutti })
  },
}

const INSERT = `with p as (
    insert into policy (organization_id, name, kind, created_by)
    select $1::uuid, 'policy-' || n, 'resources', '{"id": "a", "kind": "person", "name": "a"}'
    from generate_series(1, ${POLICIES}) n returning id, substr(name, 8)::int as n)
  insert into policy_version (organization_id, policy_id, number, status, description, actions, condition, effect, stages,
    redact, priority, written_by)
  select $1::uuid, id, 1, 'active', '', case when n <= ${ABOUT_ALL} then array['*'] else array[($2::text[])[1 + n % cardinality($2::text[])]] end,
    format('context.amount > %s && resource.domain == "d%s" && resource.attributes.region == "eu"', 1000 + n, n % 10),
    case when n % 3 = 0 then 'require_approval' when n % 7 = 0 then 'deny' else 'allow' end,
    case when n % 3 = 0 then '[{"needed": 1, "roles": ["approver"], "groups": [], "people": []}]'::jsonb else '[]' end,
    '{}', n % 10, '{"id": "a", "kind": "person", "name": "a"}'
  from p returning id`
