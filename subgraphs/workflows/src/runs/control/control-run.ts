import { type Actor, fail } from '@tutti/schema'
import { isId } from '@tutti/runtime'
import type { Services } from '../../context.ts'
import { controlRuns, type RunAction, type RunControl } from './control-runs.ts'
import { readReason } from './read-reason.ts'
import { retryDeadlocks } from './retry-deadlocks.ts'

/**
 * Does one act on one run. What is so already is no mistake. NOT_FOUND; INVALID_STATE, with the state, when it is not
 * possible.
 */
export async function controlRun(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  action: RunAction,
  { id, reason }: { id: string; reason?: string | null | undefined },
  how: Omit<RunControl, 'action' | 'reason'> = {},
): Promise<void> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const why = readReason(reason)
  const { refused } = await retryDeadlocks(() =>
    database.transact(actor, (client) => controlRuns(client, actor, [id], { ...how, action, reason: why })),
  )
  const [refusal] = refused
  if (refusal) fail(refusal.code, { path: 'input.id', message: refusal.message })
  database.announce()
  wake()
}
