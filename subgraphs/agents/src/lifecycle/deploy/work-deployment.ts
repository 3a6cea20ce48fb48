import type { Database, TenantTransaction } from '@tutti/prisma'
import { type Actor, actorSchema, fail, systemActor, TuttiError } from '@tutti/schema'
import type pg from 'pg'
import { readRegistration } from '../../agents/read-registration.ts'
import type { ExecutorRecord } from '../../configuration/executor-record.ts'
import { aboutDeployment, DEPLOYMENT_COLUMNS, type DeploymentRow } from './deployment-row.ts'
import {
  afterEvent,
  type DeploymentEvent,
  nextStep,
  type Stage,
  type StageError,
} from './deployment-steps.ts'
import { STAGE_WORK, versionOf } from './stages.ts'

const LEASE_SECONDS = 30
const MOST_ATTEMPTS = 3

/** A deployment that nobody works on, of any tenant. */
export interface DueDeployment {
  organizationId: string
  id: string
}

/** What {@link workDeployment} works with. */
export interface DeploymentWorker {
  database: Database
  /** Whether an agent that is to be there answers; what it answered is kept. A TuttiError says that it does not. */
  probe(agent: {
    organizationId: string
    id: string
    name: string
    executor: ExecutorRecord
  }): Promise<Record<string, unknown>>
  /** What is tried again waits so long. */
  retryMs?: number
  /** Told before each step is written; a test ends the worker here by throwing. */
  onStep?(step: string, tx: TenantTransaction): void | Promise<void>
}

/** Deployments that are due, oldest first. Needs the role `worker`. */
export async function findDeployments(pool: Pick<pg.Pool, 'query'>): Promise<DueDeployment[]> {
  const { rows } = await pool.query<DueDeployment>(
    `select organization_id as "organizationId", id from agent_deployment
     where status in ('running', 'undoing') and lease_until <= clock_timestamp() order by lease_until limit 50`,
  )
  return rows
}

/** Thrown when somebody else has it by now. */
class Lost extends Error {}

/**
 * Takes a deployment and does its steps until it is over. What a step does and that it was done are one transaction,
 * fenced by the lease: whoever dies, another goes on with the step after the last that was noted. Of what fails beyond
 * explanation a stage is tried three times. False when another worker has it.
 */
export async function workDeployment(worker: DeploymentWorker, due: DueDeployment): Promise<boolean> {
  const { database } = worker
  const system = systemActor(due.organizationId, 'lifecycle')
  const [claim] = await database.inTenant(system, (tx) =>
    tx.sql<{ fence: number }>(
      `update agent_deployment set fence = fence + 1, lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
       where organization_id = $1::uuid and id = $2::uuid and status in ('running', 'undoing')
         and lease_until <= clock_timestamp() returning fence::int`,
      due.organizationId,
      due.id,
    ),
  )
  if (!claim) return false
  try {
    for (let more = true; more;) more = await step(worker, due, claim.fence)
    return true
  } catch (error) {
    if (error instanceof Lost) return false
    throw error
  }
}

async function step(worker: DeploymentWorker, due: DueDeployment, fence: number): Promise<boolean> {
  const { database } = worker
  const deployment = await database.inTenant(systemActor(due.organizationId, 'lifecycle'), (tx) =>
    lock(tx, due.id, fence),
  )
  const next = nextStep(deployment)
  if (!next) return false
  const actor = requesterOf(due.organizationId, deployment)
  /** Writes what happened beside what is done, if it is still ours to do. */
  const write = async (
    name: string,
    act: (tx: TenantTransaction) => Promise<DeploymentEvent>,
  ): Promise<void> => {
    await database.inTenant(actor, async (tx) => {
      const now = await lock(tx, due.id, fence)
      const event = await act(tx)
      await note(tx, now, event)
      await worker.onStep?.(name, tx)
    })
  }
  if ('end' in next) {
    await write(`end ${next.end}`, async () => ({ type: 'ended' }))
    return false
  }
  if ('undo' in next) {
    const stage = next.undo
    try {
      await write(`undo ${stage}`, async (tx) => {
        if (stage !== 'monitor') await STAGE_WORK[stage].undo(tx, deployment)
        return { type: 'undone', stage, at: now() }
      })
    } catch (error) {
      if (error instanceof Lost) throw error
      await write(`note ${stage}`, async () => ({ type: 'undo_failed', stage }))
      await pause(worker, due, fence)
      throw error
    }
    return true
  }
  const stage = next.do
  await write(`begin ${stage}`, async () => ({ type: 'began', stage, at: now() }))
  try {
    const detail = stage === 'monitor' ? await probe(worker, actor, deployment) : undefined
    await write(`do ${stage}`, async (tx) => ({
      type: 'done',
      stage,
      at: now(),
      detail: stage === 'monitor' ? (detail ?? {}) : await STAGE_WORK[stage].act(tx, deployment),
    }))
    return true
  } catch (error) {
    if (error instanceof Lost) throw error
    return failed(worker, due, fence, { stage, error, write })
  }
}

interface Failure {
  stage: Stage
  error: unknown
  write(name: string, act: (tx: TenantTransaction) => Promise<DeploymentEvent>): Promise<void>
}

/** Whether a stage is tried again or is the end. What may pass is tried again, three times in all; so is a probe. */
async function failed(
  worker: DeploymentWorker,
  due: DueDeployment,
  fence: number,
  { stage, error, write }: Failure,
): Promise<boolean> {
  const isFinal = error instanceof TuttiError && !error.retryable && stage !== 'monitor'
  const { stages } = await worker.database.inTenant(systemActor(due.organizationId, 'lifecycle'), (tx) =>
    lock(tx, due.id, fence),
  )
  const attempts = stages.find((each) => each.stage === stage)?.attempts ?? 0
  if (!isFinal && attempts < MOST_ATTEMPTS) {
    await pause(worker, due, fence)
    throw error
  }
  await write(`fail ${stage}`, async () => ({ type: 'failed', stage, at: now(), error: errorOf(error) }))
  return true
}

function errorOf(error: unknown): StageError {
  if (!(error instanceof TuttiError)) return { code: 'INTERNAL', message: 'Something failed on our side.' }
  const { code, message, problems } = error
  return { code, message, ...(problems.length > 0 ? { problems } : {}) }
}

const now = (): string => new Date().toISOString()

function probe(worker: DeploymentWorker, { organizationId }: Actor, deployment: DeploymentRow) {
  const { agentId: id, agentName: name, request } = deployment
  return worker.probe({ organizationId, id, name, executor: readRegistration(request).executor })
}

/** Lets go of it: whoever looks next after a pause goes on. */
async function pause(
  { database, retryMs = 1_000 }: DeploymentWorker,
  { organizationId, id }: DueDeployment,
  fence: number,
): Promise<void> {
  await database.inTenant(systemActor(organizationId, 'lifecycle'), (tx) =>
    tx.sql(
      `update agent_deployment set lease_until = clock_timestamp() + $4::int * interval '1 millisecond'
       where organization_id = $1::uuid and id = $2::uuid and fence = $3::bigint returning id`,
      organizationId,
      id,
      fence,
      retryMs,
    ),
  )
}

/** The deployment, locked, with its lease renewed. Throws {@link Lost} when it is another's. */
async function lock(tx: TenantTransaction, id: string, fence: number): Promise<DeploymentRow> {
  const [row] = await tx.sql<DeploymentRow>(
    `update agent_deployment set lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
     where organization_id = $1::uuid and id = $2::uuid and fence = $3::bigint and status in ('running', 'undoing')
     returning ${DEPLOYMENT_COLUMNS}`,
    tx.actor.organizationId,
    id,
    fence,
  )
  if (!row) throw new Lost()
  return row
}

async function note(tx: TenantTransaction, before: DeploymentRow, event: DeploymentEvent): Promise<void> {
  const after = afterEvent(before, event)
  const error = event.type === 'failed' ? { ...event.error, stage: event.stage } : before.error
  await tx.sql(
    `update agent_deployment set status = $3, stages = $4::jsonb, error = $5::jsonb,
       ended_at = case when $3 in ('completed', 'failed') then clock_timestamp() end
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    before.id,
    after.status,
    JSON.stringify(after.stages),
    error && JSON.stringify(error),
  )
  const { subject, data } = aboutDeployment(before)
  if (event.type === 'ended') {
    if (after.status === 'completed')
      await tx.appendEvent({
        type: 'deployment.completed',
        subject,
        data: { ...data, number: versionOf(before) },
      })
    else {
      const { stage, code, message } = error ?? fail('INTERNAL')
      await tx.appendEvent({
        type: 'deployment.failed',
        subject,
        data: { ...data, stage, error: { code, message } },
      })
    }
    return
  }
  if (event.type === 'undo_failed') return
  const status = event.type === 'began' ? 'running' : event.type
  await tx.appendEvent({
    type: 'deployment.progressed',
    subject,
    data: { ...data, stage: event.stage, status },
  })
}

const recordSchema = actorSchema.pick({ id: true, kind: true, name: true })

/** Who asked for it: versions and events bear them. */
const requesterOf = (organizationId: string, { requestedBy }: DeploymentRow): Actor => ({
  organizationId,
  ...recordSchema.parse(requestedBy),
  roles: [],
  scopes: [],
})
