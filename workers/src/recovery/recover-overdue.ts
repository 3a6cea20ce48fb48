import { agentExecutor } from '@tutti/agents/domain'
import type { RecoverOverdue } from '@tutti/workflows/domain'
import { agentActor, type WorkerServices } from '../worker-services.ts'
import { afterFailure } from './guard-attempt.ts'

/** What agents' recovery says of attempts whose time was over: they are as other failures, of kind timeout. */
export function recoverOverdue(services: Pick<WorkerServices, 'database' | 'tail' | 'log'>): RecoverOverdue {
  return async (task, failure) =>
    task.agentId === null
      ? failure
      : afterFailure(services, task, await agentExecutor(services, agentActor(task), task.agentId), failure)
}
