import { type Actor, TuttiError } from '@tutti/schema'
import {
  type ClaimedTask,
  createProgressReporter,
  type ProgressReporter,
  reportProgress,
} from '@tutti/workflows/domain'
import type { TaskLogCollector } from '../logs/task-log-collector.ts'
import type { WorkerServices } from '../worker-services.ts'
import type { Voice } from './executor.ts'

/**
 * What one attempt says of itself. `beat` is called at every sign of life. A report that cannot be taken becomes a line of
 * the task's log, where its author sees it. The end sends the last report.
 */
export function openVoice(
  { database, log }: Pick<WorkerServices, 'database' | 'log'>,
  actor: Actor,
  task: ClaimedTask,
  { logs, beat }: { logs: Pick<TaskLogCollector, 'append'>; beat: () => void },
): Voice & AsyncDisposable {
  let reporter: ProgressReporter | undefined
  const { attempt } = task

  const say: Voice['log'] = (level, message, data) => {
    // The id is read now: a beginning that is planned again is another task.
    const line = { taskId: task.id, attempt, level, message, time: new Date() }
    logs.append(actor, data === undefined ? line : { ...line, data })
  }

  function open(): ProgressReporter {
    return createProgressReporter({
      send: (progress) => reportProgress(database, actor, task, progress),
      onError(error) {
        if (error instanceof TuttiError && error.code === 'BAD_INPUT')
          say('warn', `A report was not taken: ${error.message}`, error.problems)
        else log.warn({ err: error, taskId: task.id }, 'a report could not be kept')
      },
    })
  }

  return {
    report(progress) {
      beat()
      reporter ??= open()
      reporter.report(progress)
    },
    heartbeat: () => beat(),
    log: say,
    [Symbol.asyncDispose]: async () => reporter?.[Symbol.asyncDispose](),
  }
}
