import { actorRecord, type Database, type TenantTransaction } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { requireTeam } from '../../agents/require-team.ts'
import { configurationInput, readRegistration } from '../../agents/read-registration.ts'
import { configurationHash } from '../../configuration/configuration-hash.ts'
import { instancesInput } from '../scale-agent.ts'
import {
  aboutDeployment,
  DEPLOYMENT_COLUMNS,
  type DeploymentRequest,
  type DeploymentRow,
} from './deployment-row.ts'
import { notBegun } from './deployment-steps.ts'

const input = z.object({
  ...configurationInput,
  teamId: z.string().nullish(),
  instances: instancesInput.nullish(),
  idempotencyKey: z
    .string()
    .trim()
    .min(1, 'It is empty.')
    .max(200)
    .refine(
      (text) => text.isWellFormed() && !text.includes('\0'),
      'It holds a character that cannot be stored.',
    )
    .nullish(),
})

/** A configuration to deploy, with one instance unless said. */
export type DeployAgentRequest = z.input<typeof input>

/**
 * Begins a deployment of the agent that the document names, new or there already; workers do its stages. The same
 * idempotency key begins one. INVALID_DOCUMENT lists every mistake of the document; INVALID_STATE while the agent is on
 * its way out; NOT_FOUND for the team; CONFLICT while another deployment of it is under way; IDEMPOTENCY_KEY_REUSED.
 */
export async function deployAgent(
  { database }: { database: Database },
  actor: Actor,
  request: DeployAgentRequest,
): Promise<DeploymentRow> {
  const { teamId, instances, idempotencyKey, files, ...described } = parseInput(input, request)
  const { given: argument, configuration } = readRegistration({ ...described, files })
  const { name } = configuration.metadata
  const given: DeploymentRequest = {
    document: argument.document,
    files: files ?? [],
    teamId: teamId ?? null,
    instances: instances ?? 1,
  }
  return database.inTenant(actor, async (tx) => {
    const known = idempotencyKey == null ? undefined : await findByKey(tx, idempotencyKey, given)
    if (known) return known
    if (teamId != null) await requireTeam(tx, teamId)
    const [agent] = await tx.sql<{ id: string; status: string }>(
      'select id, status from agent where organization_id = $1::uuid and name = $2 for update',
      actor.organizationId,
      name,
    )
    if (agent?.status === 'draining')
      fail('INVALID_STATE', { path: argument.argument, message: `The agent "${name}" is on its way out.` })
    const { status, stages } = notBegun()
    const [row] = await tx.sql<DeploymentRow>(
      `insert into agent_deployment (organization_id, agent_id, agent_name, is_new, request, status, stages, idempotency_key,
         requested_by)
       values ($1::uuid, coalesce($2::uuid, uuidv7()), $3, $4::boolean, $5::jsonb, $6, $7::jsonb, $8, $9::jsonb)
       on conflict do nothing returning ${DEPLOYMENT_COLUMNS}`,
      actor.organizationId,
      agent?.id ?? null,
      name,
      agent === undefined,
      JSON.stringify(given),
      status,
      JSON.stringify(stages),
      idempotencyKey ?? null,
      JSON.stringify(actorRecord(actor)),
    )
    if (!row) {
      const same = idempotencyKey == null ? undefined : await findByKey(tx, idempotencyKey, given)
      return (
        same ??
        fail('CONFLICT', {
          path: argument.argument,
          message: `Another deployment of the agent "${name}" is under way.`,
        })
      )
    }
    await tx.appendEvent({ type: 'deployment.started', ...aboutDeployment(row) })
    return row
  })
}

async function findByKey(
  tx: TenantTransaction,
  key: string,
  given: DeploymentRequest,
): Promise<DeploymentRow | undefined> {
  const [row] = await tx.sql<DeploymentRow>(
    `select ${DEPLOYMENT_COLUMNS} from agent_deployment where organization_id = $1::uuid and idempotency_key = $2`,
    tx.actor.organizationId,
    key,
  )
  if (!row) return undefined
  return configurationHash(row.request) === configurationHash(given)
    ? row
    : fail('IDEMPOTENCY_KEY_REUSED', { path: 'input.idempotencyKey' })
}
