import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { asksPeople } from './asks-people.ts'
import { type OpenTask, refuse } from './control-task.ts'

/** INVALID_STATE for a review, and for what holds one: people decide it, and nobody in their place. */
export async function requireNoReview(client: pg.PoolClient, actor: Actor, task: OpenTask): Promise<void> {
  if (task.kind === 'review')
    refuse(
      task,
      'A person decides it: decideApproval. Where nobody does, its deadline and those that it goes up to are there.',
    )
  if (await asksPeople(client, actor, task))
    refuse(task, 'People decide in it, by decideApproval. Act on the tasks below it that hang, or cancel it.')
}
