import { failOverdueRuns } from '@tutti/workflows/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const LOOK_MS = 1_000

/** Fails runs of every tenant whose own time is over, within a second or two. Every process does so. */
export function startRunTimeouts(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'runs whose time is over could not be ended; tried again'
  return lookOften(services, { everyMs: LOOK_MS, failure }, () => failOverdueRuns(services))
}
