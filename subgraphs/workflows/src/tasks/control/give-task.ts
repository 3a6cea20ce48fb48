import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import type { OpenTask } from './control-task.ts'

/** Writes whose a locked task is from now on; what people said of the one before, and let it through with, is none of theirs. */
export async function giveTask(
  client: pg.PoolClient,
  { organizationId }: Actor,
  { id, strand }: Pick<OpenTask, 'id' | 'strand'>,
  agent: { id: string; name: string },
): Promise<void> {
  await client.query(
    `update task set agent_id = $3, agent_name = $4, agent_version = null, input = input - '$decision', given = null
     where organization_id = $1 and id = $2`,
    [organizationId, id, agent.id, agent.name],
  )
  await client.query('update strand set agent_id = $3 where organization_id = $1 and id = $2', [
    organizationId,
    strand.id,
    agent.id,
  ])
}
