import type { Actor } from '@tutti/schema'
import type { Services } from '../../context.ts'
import { readJson } from '../../runs/control/read-json.ts'
import { controlTask, type TaskControl, tellCore } from './control-task.ts'

/** Leaves a task out; the output, if given, stands for its result. As {@link controlTask} otherwise. */
export async function skipTask(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { output, ...control }: TaskControl & { output?: unknown },
): Promise<void> {
  const value = readJson(output, 'input.output')
  await controlTask(services, actor, control, {
    action: 'skip',
    isSo: ({ status }) => status === 'skipped',
    act: (client, task, reason) =>
      tellCore(
        client,
        actor,
        task,
        { type: 'task_skipped', node: task.nodeId, ...(output === undefined ? {} : { output: value }) },
        reason,
      ),
  })
}
