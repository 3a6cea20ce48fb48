import type { Database } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { instancesInput } from '../lifecycle/scale-agent.ts'
import {
  type LoadPoint,
  type PlayedDecision,
  playPolicy,
  type ScalingStep,
  type ScalingTotals,
  totalsOf,
} from './play-policy.ts'
import { policyInput, requireOrder, withInput } from './policy-input.ts'
import { policyOf, resourceManagementOf, type ScalingPolicy, storedPolicy } from './scaling-policy.ts'

/** Steps of one simulation. */
const MOST_STEPS = 2_880
const HOUR_MS = 3_600_000

const pointInput = z.object({
  at: z.date(),
  running: z.number().min(0).max(1_000_000),
  queued: z.number().min(0).max(1_000_000),
  responseSeconds: z.number().min(0).max(86_400).nullish(),
})

const input = z.object({
  agentId: z.string().nullish(),
  agentType: z
    .string()
    .max(200)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'No type of an agent is written so.')
    .nullish(),
  policy: policyInput.nullish(),
  from: z.date().nullish(),
  to: z.date().nullish(),
  load: z
    .array(pointInput)
    .min(1, 'At least one moment.')
    .max(MOST_STEPS, `At most ${MOST_STEPS} moments.`)
    .refine(
      (points) => points.every(({ at }, index) => index === 0 || at > (points[index - 1]?.at ?? at)),
      'Moments stand in their order, each once.',
    )
    .nullish(),
  instances: instancesInput.nullish(),
  tasksPerInstance: z.int().min(1).max(10_000).nullish(),
})

export type SimulateScalingRequest = z.input<typeof input>

/** A step beside what really was; null of load that was given. */
export type SimulatedStep = ScalingStep & { actual: ScalingStep | null }

/** What a policy would have done, beside what was. */
export interface ScalingSimulation {
  policy: ScalingPolicy
  steps: SimulatedStep[]
  decisions: PlayedDecision[]
  totals: ScalingTotals
  /** Null of load that was given. */
  actual: ScalingTotals | null
}

/** What a simulation is played over. */
interface Ground {
  load: LoadPoint[]
  actual: ScalingStep[]
  instances: number
  tasksPerInstance: number
}

/**
 * Plays a policy over the recorded load of an agent, or of all agents of a type together, or over load that is given. The
 * policy is the agent's or the settings', with what is said here. BAD_INPUT with every mistake; NOT_FOUND.
 */
export async function simulateScaling(
  { database }: { database: Database },
  actor: Actor,
  request: SimulateScalingRequest,
): Promise<ScalingSimulation> {
  const asked = parseInput(input, request)
  const { agentId, agentType, load } = asked
  if ([agentId, agentType, load].filter((each) => each != null).length !== 1)
    fail('BAD_INPUT', { path: 'input', message: 'Exactly one of agentId, agentType and load.' })
  const stored = await readPolicy(database, actor, agentId ?? null)
  const said = withInput(storedPolicy.parse(stored.policy ?? {}), asked.policy ?? {})
  const played = { ...policyOf(stored.settings, said), enabled: true }
  // Of a type's agents together its own bounds are those that count, unless others are given.
  const policy =
    agentType == null
      ? played
      : {
          ...played,
          minInstances: said.minInstances ?? Math.max(1, played.minPerType),
          maxInstances: said.maxInstances ?? played.maxPerType,
        }
  requireOrder(policy)
  const ground = load ? groundOf(load) : await readGround(database, actor, asked)
  const start = {
    instances: asked.instances ?? ground.instances,
    tasksPerInstance: asked.tasksPerInstance ?? ground.tasksPerInstance,
    othersOfType: 0,
  }
  const { steps, decisions } = playPolicy(policy, ground.load, start)
  return {
    policy,
    steps: steps.map((step, index) => ({ ...step, actual: ground.actual[index] ?? null })),
    decisions,
    totals: totalsOf(policy, steps),
    actual: load ? null : totalsOf(policy, ground.actual),
  }
}

const groundOf = (points: readonly z.output<typeof pointInput>[]): Ground => ({
  load: points.map(({ at, running, queued, responseSeconds }) => ({
    at: at.getTime(),
    running,
    queued,
    responseP95Ms: responseSeconds == null ? null : responseSeconds * 1_000,
  })),
  actual: [],
  instances: 1,
  tasksPerInstance: 1,
})

interface Minute extends Omit<LoadPoint, 'at'> {
  minute: Date
  instances: number
  slots: number
}

async function readGround(
  database: Database,
  actor: Actor,
  asked: Pick<z.output<typeof input>, 'agentId' | 'agentType' | 'from' | 'to'>,
): Promise<Ground> {
  const to = asked.to ?? new Date()
  const from = asked.from ?? new Date(to.getTime() - HOUR_MS)
  if (from >= to) fail('BAD_INPUT', { path: 'input.from', message: 'It is not before the end.' })
  const rows = await database.readTenant<Minute>(
    actor,
    `select l.minute, sum(l.instances)::int as instances, sum(l.slots)::int as slots, sum(l.running_average)::float8 as running,
       sum(l.queued)::int as queued, max(l.response_p95_ms) as "responseP95Ms"
     from agent_load l where l.organization_id = $1::uuid and l.minute >= $4 and l.minute < $5
       and case when $2::uuid is not null then l.agent_id = $2::uuid else l.agent_id in
         (select a.id from agent a where a.organization_id = $1::uuid and a.type = $3) end
     group by l.minute order by l.minute limit ${MOST_STEPS + 1}`,
    [actor.organizationId, asked.agentId ?? null, asked.agentType ?? null, from, to],
  )
  if (rows.length > MOST_STEPS)
    fail('BAD_INPUT', {
      path: 'input.from',
      message: `More than ${MOST_STEPS} minutes of load were recorded in that time.`,
      hint: 'Simulate up to two days at once.',
    })
  const [first] = rows
  return {
    load: rows.map(({ minute, running, queued, responseP95Ms }) => ({
      at: minute.getTime(),
      running,
      queued,
      responseP95Ms,
    })),
    actual: rows.map(({ minute, instances, slots, running, queued }) => ({
      at: minute.getTime(),
      instances,
      slots,
      running,
      queued,
    })),
    instances: first?.instances ?? 1,
    tasksPerInstance: first ? Math.max(1, Math.round(first.slots / first.instances)) : 1,
  }
}

async function readPolicy(
  database: Database,
  actor: Actor,
  agentId: string | null,
): Promise<{ settings: unknown; policy: unknown }> {
  if (agentId !== null && !isId(agentId)) fail('NOT_FOUND', { path: 'input.agentId' })
  const [row] = await database.readTenant<{ settings: unknown; policy: unknown; isThere: boolean }>(
    actor,
    `select ${resourceManagementOf('o')} as settings, (select s.policy from agent_scaling s
       where s.organization_id = o.organization_id and s.id = $2::uuid) as policy,
       exists (select from agent a where a.organization_id = o.organization_id and a.id = $2::uuid) as "isThere"
     from (select $1::uuid as organization_id) o`,
    [actor.organizationId, agentId],
  )
  if (agentId !== null && !row?.isThere) fail('NOT_FOUND', { path: 'input.agentId' })
  return { settings: row?.settings, policy: row?.policy }
}
