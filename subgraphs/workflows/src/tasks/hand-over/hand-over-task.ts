import type { Actor } from '@tutti/schema'
import type pg from 'pg'
import { isTaskOver } from '../../engine/core/index.ts'
import { aboutTask } from '../../engine/store/plan-transitions.ts'
import { recordEvents } from '../../runs/control/record-events.ts'
import { aboutRun } from '../../runs/control/run-reference.ts'
import { giveTask } from '../control/give-task.ts'
import { lockTask } from '../control/lock-task.ts'
import { restartTask } from '../control/restart-task.ts'

/** Whose task goes to whom; without an heir it is only taken from who has it, and waits. */
interface HandOver {
  taskId: string
  from: string
  heir: { id: string; name: string } | null
  /** Whether it may be taken from who does it at this moment. */
  force: boolean
}

/** Hands one task over, looking again with its run and strand locked: a worker may have begun it meanwhile. */
export async function handOverTask(
  client: pg.PoolClient,
  actor: Actor,
  { taskId, from, heir, force }: HandOver,
): Promise<'handedOver' | 'underWay' | 'waiting'> {
  const task = await lockTask(client, actor, taskId)
  const { strand } = task
  if (!strand || isTaskOver(task.status) || task.agentId !== from) return 'handedOver'
  const o = actor.organizationId
  const { rowCount: claimed } = await client.query(
    `select from board_item where organization_id = $1 and task_id = $2 and status = 'claimed'`,
    [o, task.id],
  )
  const isUnderWay = strand.status === 'running' || (claimed ?? 0) > 0
  if (isUnderWay && !force) return 'underWay'
  if (heir) await giveTask(client, actor, { id: task.id, strand }, heir)
  const waits = strand.status === 'waiting'
  if (isUnderWay || waits) await restartTask(client, actor, { ...task, strand })
  if (!heir && !isUnderWay) return 'waiting'
  const about = aboutTask(aboutRun(task.run).data, { ...task, agentId: heir?.id ?? from })
  const reason = heir ? 'Its agent is on its way out.' : 'Its agent is on its way out; it waits for one.'
  await recordEvents(client, actor, [
    { type: 'task.controlled', subject: about.subject, data: { ...about.data, action: 'reassign', reason } },
  ])
  return heir ? 'handedOver' : 'waiting'
}
