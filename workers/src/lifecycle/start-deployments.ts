import { type DeploymentWorker, findDeployments, workDeployment } from '@tutti/agents/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

/** A deployment is begun this soon, and after the death of who worked on it taken up once its lease is over. */
const LOOK_MS = 500

/** Does the stages of deployments, of every tenant. Every process does so; a deployment is in one's hands at a time. */
export function startDeployments(
  services: Pick<WorkerServices, 'database' | 'log'>,
  probe: DeploymentWorker['probe'],
): AsyncDisposable {
  const { database, log } = services
  const worker: DeploymentWorker = { database, probe }
  const failure = 'deployments could not be looked at'
  return lookOften(services, { everyMs: LOOK_MS, failure }, async (signal) => {
    for (const due of await findDeployments(database.pool('worker'))) {
      if (signal.aborted) return
      await workDeployment(worker, due).catch((error: unknown) =>
        log.warn({ err: error, deploymentId: due.id }, 'a deployment failed at a step; tried again'),
      )
    }
  })
}
