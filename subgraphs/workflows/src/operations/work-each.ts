import { type Actor, systemActor, TuttiError } from '@tutti/schema'
import type { Services } from '../context.ts'
import { forkRun } from '../runs/control/fork-run.ts'
import { recordedActor } from '../runs/control/recorded-actor.ts'
import { retryDeadlocks } from '../runs/control/retry-deadlocks.ts'
import { failureOf, type RunRefusal } from '../runs/control/run-refusal.ts'
import { signalRun } from '../runs/signal-run.ts'
import { forkOf, signalOf } from './bulk-action.ts'
import { lockOperation, nextRuns, noteProgress } from './operation-progress.ts'
import type { OperationRow } from './operation-row.ts'

type Worker = Pick<Services, 'database' | 'wake'>

/**
 * Signals or forks an operation's next runs, each in a transaction of its own, and then notes how far it is. Whoever dies
 * between does some of them again with the same idempotency key, which has no second effect; whoever comes second finds
 * the operation further on, and notes nothing.
 */
export async function workEach(
  services: Worker,
  organizationId: string,
  id: string,
  most: number,
): Promise<boolean> {
  const { database } = services
  const system = systemActor(organizationId, 'operations')
  const found = await database.transact(system, async (client) => {
    const operation = await lockOperation(client, organizationId, id)
    return operation && { operation, ids: await nextRuns(client, organizationId, operation, most) }
  })
  if (!found) return false
  const { operation, ids } = found
  const actor = recordedActor(organizationId, operation.startedBy)
  const refused: RunRefusal[] = []
  for (const runId of ids) {
    const refusal = await attempt(services, actor, operation, runId)
    if (refusal) refused.push(refusal)
  }
  return retryDeadlocks(() =>
    database.transact(system, async (client) => {
      const now = await lockOperation(client, organizationId, id)
      if (now?.position !== operation.position) return false
      const progress = { ids, done: ids.length - refused.length, refused, over: ids.length < most }
      await noteProgress(client, actor, now, progress)
      return true
    }),
  )
}

/** A lost connection or a limit of time is no fault of the run: thrown, and tried again. */
async function attempt(
  services: Worker,
  actor: Actor,
  { id, action, params, reason }: OperationRow,
  runId: string,
): Promise<RunRefusal | undefined> {
  try {
    if (action === 'signal')
      await signalRun(services, actor, { runId, ...signalOf(params), idempotencyKey: `operation/${id}` })
    else
      await forkRun(services, actor, {
        id: runId,
        ...forkOf(params),
        reason,
        idempotencyKey: `operation/${id}/${runId}`,
      })
    return undefined
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    if (error.code === 'INTERNAL') return failureOf(runId)
    return { runId, code: error.code, message: error.message }
  }
}
