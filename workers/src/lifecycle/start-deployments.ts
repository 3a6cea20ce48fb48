import { setTimeout as wait } from 'node:timers/promises'
import { type DeploymentWorker, findDeployments, workDeployment } from '@tutti/agents/domain'
import type { WorkerServices } from '../worker-services.ts'

/** A deployment is begun this soon, and after the death of who worked on it taken up once its lease is over. */
const LOOK_MS = 500

/** Does the stages of deployments, of every tenant. Every process does so; a deployment is in one's hands at a time. */
export function startDeployments(
  { database, log }: Pick<WorkerServices, 'database' | 'log'>,
  probe: DeploymentWorker['probe'],
): AsyncDisposable {
  const stopping = new AbortController()
  const { signal } = stopping
  const worker: DeploymentWorker = { database, probe }

  async function workOff(): Promise<void> {
    for (const due of await findDeployments(database.pool('worker'))) {
      if (signal.aborted) return
      await workDeployment(worker, due).catch((error: unknown) =>
        log.warn({ err: error, deploymentId: due.id }, 'a deployment failed at a step; tried again'),
      )
    }
  }

  const loop = (async () => {
    while (!signal.aborted) {
      await workOff().catch((error: unknown) =>
        log.warn({ err: error }, 'deployments could not be looked at'),
      )
      await wait(LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await loop
    },
  }
}
