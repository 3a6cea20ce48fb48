import { actorRecord, type Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { AGENT_COLUMNS, type AgentRow } from '../agents/agent-row.ts'
import { lockAgent } from '../agents/lock-agent.ts'
import { requirePlace } from '../agents/require-place.ts'
import { requireNoDeployment } from './require-no-deployment.ts'
import { reasonInput } from './scale-agent.ts'

const DEFAULT_SECONDS = 300
const MOST_SECONDS = 86_400

const input = z.object({
  id: z.string(),
  timeoutSeconds: z
    .int()
    .min(0, `From 0 to ${MOST_SECONDS}.`)
    .max(MOST_SECONDS, `From 0 to ${MOST_SECONDS}.`)
    .nullish(),
  reason: reasonInput,
})

/** Which agent goes, and how long what is under way may take; 300 seconds unless said. */
export type RetireAgentRequest = z.input<typeof input>

/**
 * Takes an agent out of service: from the commit on it gets no new work, and a worker sees to the rest, see
 * {@link workRetirement}. One that is on its way out or retired stays so. BAD_INPUT, NOT_FOUND; INVALID_STATE while the
 * agent is being deployed.
 */
export async function retireAgent(
  { database }: { database: Database },
  actor: Actor,
  request: RetireAgentRequest,
): Promise<AgentRow> {
  const { id, timeoutSeconds, reason } = parseInput(input, request)
  return database.inTenant(actor, async (tx) => {
    const agent = await lockAgent(tx, id, 'input.id')
    await requirePlace(tx, agent.teamId, 'input.id')
    if (agent.status === 'draining' || agent.status === 'retired') return agent
    const { organizationId } = actor
    await requireNoDeployment(tx, agent.name, 'input.id')
    const [draining] = await tx.sql<AgentRow>(
      `update agent set status = 'draining', updated_at = now()
       where organization_id = $1::uuid and id = $2::uuid returning ${AGENT_COLUMNS}`,
      organizationId,
      agent.id,
    )
    const [retirement] = await tx.sql<{ deadline: Date }>(
      `insert into agent_retirement (organization_id, agent_id, status, reason, requested_by, deadline)
       values ($1::uuid, $2::uuid, 'draining', $3, $4::jsonb, clock_timestamp() + $5::int * interval '1 second')
       returning deadline`,
      organizationId,
      agent.id,
      reason ?? null,
      JSON.stringify(actorRecord(actor)),
      timeoutSeconds ?? DEFAULT_SECONDS,
    )
    if (!draining || !retirement) return fail('INTERNAL')
    await tx.appendEvent({
      type: 'agent.draining',
      subject: `agent/${agent.id}`,
      data: {
        agentId: agent.id,
        name: agent.name,
        reason: reason ?? null,
        deadline: retirement.deadline.toISOString(),
      },
    })
    return draining
  })
}
