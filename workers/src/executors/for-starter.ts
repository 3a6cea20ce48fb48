import type { Actor } from '@tutti/schema'
import { starterOf } from '@tutti/workflows/domain'
import type { TaskCall } from './executor.ts'

/** The agent that does a task, as who acts for whoever had its run started: the first of those that it was started by. */
export async function forStarter({
  services,
  task,
  actor,
}: Pick<TaskCall, 'services' | 'task' | 'actor'>): Promise<Actor> {
  const starter = await starterOf(services, actor, task.runId)
  return starter ? { ...actor, onBehalfOf: starter } : actor
}
