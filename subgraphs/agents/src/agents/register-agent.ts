import type { Database, TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { copyToAgent, makeVersion } from '../lifecycle/agent-version.ts'
import { AGENT_COLUMNS, type AgentRow } from './agent-row.ts'
import { configurationInput, readRegistration } from './read-registration.ts'
import { requirePlace } from './require-place.ts'
import { requireTeam } from './require-team.ts'

const input = z.object({ ...configurationInput, teamId: z.string().nullish() })

/** What {@link registerAgent} takes: a configuration, as a document or field by field, with the files its settings name. */
export type RegisterAgentRequest = z.input<typeof input>

/**
 * Registers an agent by its name, or makes a version of it and lets that serve; a retired one takes work again. The same
 * configuration and files once more change nothing. INVALID_DOCUMENT lists every mistake of the document; INVALID_STATE
 * while the agent is being deployed for the first time.
 */
export async function registerAgent(
  { database }: { database: Database },
  actor: Actor,
  request: RegisterAgentRequest,
): Promise<{ agent: AgentRow; changed: boolean }> {
  const { teamId, ...agent } = parseInput(input, request)
  const registration = readRegistration(agent)
  const {
    given: { argument },
    configuration,
    executor,
    shown,
    hash,
  } = registration
  const { name, type, version } = configuration.metadata
  const { organizationId } = actor

  return database.inTenant(actor, async (tx) => {
    if (teamId != null) await requireTeam(tx, teamId)
    if (teamId != null) await requirePlace(tx, teamId, 'input.teamId')
    const registered = (agent: AgentRow) =>
      tx.appendEvent({
        type: 'agent.registered',
        subject: `agent/${agent.id}`,
        data: { agentId: agent.id, name, version },
      })
    const [created] = await tx.sql<AgentRow>(
      `insert into agent (organization_id, name, type, version, capabilities, executor, configuration, configuration_hash, team_id)
       values ($1::uuid, $2, $3, $4, $5::text[], $6::jsonb, $7::jsonb, $8, $9::uuid)
       on conflict (organization_id, name) do nothing returning ${AGENT_COLUMNS}`,
      organizationId,
      name,
      type,
      version,
      configuration.capabilities,
      JSON.stringify(executor),
      JSON.stringify(shown),
      hash,
      teamId ?? null,
    )
    if (created) {
      await requirePlace(tx, created.teamId, 'input.teamId')
      await makeVersion(tx, created.id, registration)
      await registered(created)
      return { agent: created, changed: true }
    }
    const before = await lockByName(tx, name, argument)
    await requirePlace(tx, before.teamId, argument)
    // What is as it should be is not written: registering again is free of writes and events.
    const isSame =
      before.configurationHash === hash &&
      before.status === 'active' &&
      before.teamId === (teamId ?? before.teamId)
    if (isSame) return { agent: before, changed: false }
    if (before.status === 'deploying')
      fail('INVALID_STATE', { path: argument, message: `The agent "${name}" is being deployed.` })
    const { number } = await makeVersion(tx, before.id, registration)
    await copyToAgent(tx, before.id, number)
    await endRetirement(tx, before)
    const [agent] = await tx.sql<AgentRow>(
      `update agent set team_id = coalesce($3::uuid, team_id), status = 'active', retired_at = null
       where organization_id = $1::uuid and id = $2::uuid returning ${AGENT_COLUMNS}`,
      organizationId,
      before.id,
      teamId ?? null,
    )
    if (!agent) return fail('INTERNAL')
    await registered(agent)
    return { agent, changed: true }
  })
}

async function lockByName(tx: TenantTransaction, name: string, argument: string): Promise<AgentRow> {
  const [agent] = await tx.sql<AgentRow>(
    `select ${AGENT_COLUMNS} from agent where organization_id = $1::uuid and name = $2 for update`,
    tx.actor.organizationId,
    name,
  )
  return agent ?? fail('CONFLICT', { path: argument, message: `The agent "${name}" is going just now.` })
}

/** An agent on its way out that is registered anew stays. */
async function endRetirement(tx: TenantTransaction, { id, status }: AgentRow): Promise<void> {
  if (status !== 'draining') return
  await tx.sql(
    `update agent_retirement set status = 'cancelled', ended_at = now()
     where organization_id = $1::uuid and agent_id = $2::uuid and status = 'draining' returning id`,
    tx.actor.organizationId,
    id,
  )
}
