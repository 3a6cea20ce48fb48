import type { Actor } from '@tutti/schema'
import type { Services } from '../context.ts'
import { limitMemoryOf } from './limit-memory.ts'
import { releaseQueuedRuns } from './release-queued-runs.ts'

/** After a change of limits is committed: this process knows, runs begin for which there is room now, workers look. */
export async function limitsChanged(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
): Promise<void> {
  limitMemoryOf(database).forget()
  await database.transact(actor, (client) => releaseQueuedRuns(client, actor.organizationId))
  wake()
}
