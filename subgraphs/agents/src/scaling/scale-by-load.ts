import type { Database } from '@tutti/prisma'
import { type Actor, systemActor, TuttiError } from '@tutti/schema'
import { scaleAgent } from '../lifecycle/scale-agent.ts'
import { decideScale, type ScalingReason } from './decide-scale.ts'
import { figuresOf, type LoadFigures } from './load-figures.ts'
import { keepLoads, type LoadOfAgent, readLoads } from './read-loads.ts'

/** What a look at the load did. */
interface ScalingLook {
  /** Agents whose instances were changed, and those whose change was refused. */
  scaled: number
  refused: number
  /** What went wrong beyond that; the others were scaled all the same. */
  errors: unknown[]
}

/** Why instances were changed, in words. */
const REASONS: Readonly<Partial<Record<ScalingReason, (load: LoadFigures) => string>>> = {
  below_minimum: () => 'It had fewer instances than it may have.',
  above_maximum: () => 'It had more instances than it may have.',
  utilisation: ({ utilisation }) => `${Math.round(utilisation * 100)}% of its slots were taken.`,
  queue: ({ queued, slots }) => `${queued} tasks waited for ${slots} slots.`,
  response_time: ({ responseP95Ms }) =>
    `95% of its attempts took up to ${Math.round(responseP95Ms ?? 0)} ms, longer than wanted.`,
  idle: ({ utilisation }) => `${Math.round(utilisation * 100)}% of its slots were taken, and nothing waited.`,
}

/**
 * Looks at the load of all agents of all tenants that have instances, keeps it, and scales those that are to be scaled by
 * it. Events: agent.scaled. What a quota or a deployment forbids is kept with the agent and tried again at the next look.
 * Of all processes one does it at a time.
 */
export async function scaleByLoad(
  services: { database: Database },
  now: () => number = Date.now,
): Promise<ScalingLook> {
  const loads = await readLoads(services)
  await keepLoads(services, loads)
  const look: ScalingLook = { scaled: 0, refused: 0, errors: [] }
  // What an agent gets here, the next of its type cannot have.
  const changed = new Map<string, number>()
  for (const each of loads) {
    if (!each.policy.enabled) continue
    const key = `${each.organizationId}/${each.type}`
    const state = { ...each.state, othersOfType: each.state.othersOfType + (changed.get(key) ?? 0) }
    const decision = decideScale(each.policy, each.load, state, now())
    if (decision.hold) continue
    const figures = figuresOf(each.load, state)
    const actor = systemActor(each.organizationId, 'scaling')
    try {
      const { agentId } = each
      const reason = REASONS[decision.reason]?.(figures) ?? null
      const { instances: to } = decision
      const request = { agentId, instances: to, reason }
      const { from } = await scaleAgent(services, actor, request, { from: state.instances, load: figures })
      if (from !== state.instances) continue
      changed.set(key, (changed.get(key) ?? 0) + to - from)
      look.scaled += 1
    } catch (error) {
      if (error instanceof TuttiError && ['INVALID_STATE', 'QUOTA_EXCEEDED'].includes(error.code)) {
        look.refused += 1
        await noteRefusal(services, actor, each, decision.instances, error.message)
      } else look.errors.push(error)
    }
  }
  return look
}

/** Keeps why a decision could not be done, since when; the same one only once. */
async function noteRefusal(
  { database }: { database: Database },
  actor: Actor,
  { agentId }: LoadOfAgent,
  wanted: number,
  message: string,
): Promise<void> {
  await database.inTenant(actor, (tx) =>
    tx.sql(
      `insert into agent_scaling as s (organization_id, id, refusal)
       values ($1::uuid, $2::uuid, jsonb_build_object('at', clock_timestamp(), 'wanted', $3::int, 'message', $4::text))
       on conflict (organization_id, id) do update set refusal = excluded.refusal
         where s.refusal - 'at' is distinct from excluded.refusal - 'at' returning id`,
      actor.organizationId,
      agentId,
      wanted,
      message,
    ),
  )
}
