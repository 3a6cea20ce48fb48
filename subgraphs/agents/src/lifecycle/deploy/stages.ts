import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { fail, type Problem } from '@tutti/schema'
import { lockAgent } from '../../agents/lock-agent.ts'
import { readRegistration, type Registration } from '../../agents/read-registration.ts'
import { copyToAgent, makeVersion } from '../agent-version.ts'
import { needsOf } from '../needs-of.ts'
import { allocationOf, requireRoom, type Wanted } from '../require-room.ts'
import type { DeploymentRow } from './deployment-row.ts'
import type { Stage } from './deployment-steps.ts'

/**
 * What a stage does and how it is undone, each in one transaction with the note that it was: whoever dies meanwhile, it
 * was done once or not at all. A TuttiError ends the deployment; other errors are tried again.
 */
export interface StageWork {
  act(tx: TenantTransaction, deployment: DeploymentRow): Promise<Record<string, unknown>>
  undo(tx: TenantTransaction, deployment: DeploymentRow): Promise<void>
}

/** After so many failures an agent that cannot be deleted is retired instead. */
const MOST_UNDO_ATTEMPTS = 3

const nothing = async (): Promise<void> => undefined

/** The work of every stage. `monitor` is the probe's, which is no matter of the database. */
export const STAGE_WORK: Readonly<Record<Exclude<Stage, 'monitor'>, StageWork>> = {
  validate: { act: validate, undo: nothing },
  allocate: { act: allocate, undo: (tx, { id }) => release(tx, 'agent_allocation', id) },
  create_instances: { act: createInstances, undo: (tx, { id }) => release(tx, 'agent_instance', id) },
  register: { act: register, undo: unregister },
  hand_over: { act: handOver, undo: nothing },
}

/** The number of the version that a deployment made or found. */
export function versionOf({ stages }: Pick<DeploymentRow, 'stages'>): number {
  const number = stages.find(({ stage }) => stage === 'register')?.detail?.['version']
  return typeof number === 'number' ? number : fail('INTERNAL')
}

async function validate(tx: TenantTransaction, { request, agentName }: DeploymentRow) {
  const { configuration } = readRegistration(request)
  const { organizationId } = tx.actor
  const { dependencies, executor } = configuration
  const deployed = await tx.sql<{ name: string }>(
    `select name from agent where organization_id = $1::uuid and name = any($2::text[]) and status = 'active' and name <> $3`,
    organizationId,
    dependencies,
    agentName,
  )
  const problems: Problem[] = dependencies.flatMap((name, index) =>
    deployed.some((each) => each.name === name)
      ? []
      : [
          {
            code: 'dependency_not_deployed',
            path: `dependencies.${index}`,
            message: `The agent "${name}" is not deployed.`,
            hint: 'Deploy it first.',
          },
        ],
  )
  const { teamId } = request
  const team =
    teamId !== null && isId(teamId)
      ? await tx.db.team.findFirst({ where: { id: teamId }, select: { id: true } })
      : null
  if (teamId !== null && !team)
    problems.push({ code: 'team_not_found', path: 'teamId', message: 'There is no such team.' })
  const credential = executor?.type === 'http' ? executor.authorization?.credential : undefined
  if (credential !== undefined) {
    const [found] = await tx.sql(
      'select id from credential where organization_id = $1::uuid and name = $2',
      organizationId,
      credential,
    )
    if (!found)
      problems.push({
        code: 'credential_not_found',
        path: 'executor.authorization.credential',
        message: `There is no credential "${credential}".`,
        hint: 'Set it by setCredential.',
      })
  }
  if (problems.length > 0)
    fail('INVALID_DOCUMENT', { path: 'input.document', message: problems[0]?.message, problems })
  return { dependencies: dependencies.length }
}

function wantedBy({ agentId, request }: DeploymentRow, { shown }: Registration): Wanted {
  const { teamId, instances } = request
  return { agentId, teamId, instances, needs: needsOf(shown) }
}

async function allocate(tx: TenantTransaction, deployment: DeploymentRow) {
  const wanted = wantedBy(deployment, readRegistration(deployment.request))
  await requireRoom(tx, wanted)
  const { teamId, instances } = wanted
  const { memoryMb, cpuCores, storageMb, bandwidthMbps, tasks } = allocationOf(wanted)
  await tx.sql(
    `insert into agent_allocation (organization_id, agent_id, deployment_id, team_id, instances, memory_mb, cpu_cores,
       storage_mb, bandwidth_mbps, max_tasks)
     values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::int, $6::float8, $7::float8, $8::float8, $9::float8, $10::int)
     returning id`,
    tx.actor.organizationId,
    deployment.agentId,
    deployment.id,
    teamId,
    instances,
    memoryMb,
    cpuCores,
    storageMb,
    bandwidthMbps,
    tasks,
  )
  return { instances, memoryMb, cpuCores }
}

async function createInstances(tx: TenantTransaction, { id, agentId, request }: DeploymentRow) {
  const made = await tx.sql<{ id: string }>(
    `insert into agent_instance (organization_id, agent_id, status, deployment_id)
     select $1::uuid, $2::uuid, 'starting', $3::uuid from generate_series(1, $4::int) returning id`,
    tx.actor.organizationId,
    agentId,
    id,
    request.instances,
  )
  return { instances: made.map((each) => each.id) }
}

async function release(
  tx: TenantTransaction,
  table: 'agent_allocation' | 'agent_instance',
  deploymentId: string,
): Promise<void> {
  await tx.sql(
    `delete from ${table} where organization_id = $1::uuid and deployment_id = $2::uuid returning id`,
    tx.actor.organizationId,
    deploymentId,
  )
}

async function register(tx: TenantTransaction, deployment: DeploymentRow) {
  const { agentId, agentName, isNew, request } = deployment
  const registration = readRegistration(request)
  const { configuration, executor, shown, hash } = registration
  if (isNew) {
    const made = await tx.sql(
      `insert into agent (organization_id, id, name, type, version, status, capabilities, executor, configuration,
         configuration_hash, team_id)
       values ($1::uuid, $2::uuid, $3, $4, $5, 'deploying', $6::text[], $7::jsonb, $8::jsonb, $9, $10::uuid)
       on conflict (organization_id, name) do nothing returning id`,
      tx.actor.organizationId,
      agentId,
      agentName,
      configuration.metadata.type,
      configuration.metadata.version,
      configuration.capabilities,
      JSON.stringify(executor),
      JSON.stringify(shown),
      hash,
      request.teamId,
    )
    if (made.length === 0)
      fail('CONFLICT', {
        path: 'input.document',
        message: `An agent "${agentName}" was registered meanwhile.`,
      })
  } else {
    const { status } = await lockAgent(tx, agentId)
    if (status === 'draining')
      fail('INVALID_STATE', {
        path: 'input.document',
        message: `The agent "${agentName}" is on its way out.`,
      })
  }
  const { number, created } = await makeVersion(tx, agentId, registration)
  return { version: number, created }
}

async function unregister(tx: TenantTransaction, deployment: DeploymentRow): Promise<void> {
  const { agentId, isNew, stages } = deployment
  const { organizationId } = tx.actor
  const record = stages.find(({ stage }) => stage === 'register')
  if (!isNew) {
    if (record?.detail?.['created'] !== true) return
    await tx.sql(
      `delete from agent_version v using agent a where v.organization_id = $1::uuid and v.agent_id = $2::uuid
       and v.number = $3::int and a.organization_id = v.organization_id and a.id = v.agent_id
       and a.serving_version <> v.number returning v.id`,
      organizationId,
      agentId,
      versionOf(deployment),
    )
    return
  }
  // Where something refers to it already, as a credential of its own, it cannot go: then it takes no work ever.
  if ((record?.undoAttempts ?? 0) >= MOST_UNDO_ATTEMPTS)
    await tx.sql(
      `update agent set status = 'retired', retired_at = now()
       where organization_id = $1::uuid and id = $2::uuid and status = 'deploying' returning id`,
      organizationId,
      agentId,
    )
  else
    await tx.sql(
      `delete from agent where organization_id = $1::uuid and id = $2::uuid and status = 'deploying' returning id`,
      organizationId,
      agentId,
    )
}

/** What the version before had is the new one's from here on: the messages that wait, and the agent's id. */
async function handOver(tx: TenantTransaction, deployment: DeploymentRow) {
  const { id, agentId, agentName, isNew, request } = deployment
  const { organizationId } = tx.actor
  const before = await lockAgent(tx, agentId)
  if (before.status === 'draining')
    fail('INVALID_STATE', { path: 'input.document', message: `The agent "${agentName}" is on its way out.` })
  const version = versionOf(deployment)
  if (!(await copyToAgent(tx, agentId, version)))
    fail('NOT_FOUND', { message: 'Its version is not there any more.' })
  for (const table of ['agent_allocation', 'agent_instance'])
    await tx.sql(
      `delete from ${table} where organization_id = $1::uuid and agent_id = $2::uuid
       and deployment_id is distinct from $3::uuid returning id`,
      organizationId,
      agentId,
      id,
    )
  await tx.sql(
    'update agent_allocation set deployment_id = null where organization_id = $1::uuid and deployment_id = $2::uuid returning id',
    organizationId,
    id,
  )
  await tx.sql(
    `update agent_instance set status = 'ready', deployment_id = null
     where organization_id = $1::uuid and deployment_id = $2::uuid returning id`,
    organizationId,
    id,
  )
  await tx.sql(
    `update agent set status = 'active', retired_at = null, team_id = coalesce($3::uuid, team_id), updated_at = now()
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    organizationId,
    agentId,
    request.teamId,
  )
  const [left] = await tx.sql<{ id: string }>(
    `select id from agent_retirement where organization_id = $1::uuid and agent_id = $2::uuid and status = 'retired'
     order by id desc limit 1`,
    organizationId,
    agentId,
  )
  const { configuration } = readRegistration(request)
  await tx.appendEvent({
    type: 'agent.registered',
    subject: `agent/${agentId}`,
    data: { agentId, name: agentName, version: configuration.metadata.version },
  })
  return {
    version,
    predecessor: isNew
      ? null
      : { version: before.servingVersion, status: before.status, finalState: left?.id ?? null },
  }
}
