import { findExports, workExport } from '@tutti/governance/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

/** An export is begun this soon, and after the death of who worked on it taken up again. */
const LOOK_MS = 1_000

/** Writes exports of the record, of every tenant, a part of each in turn; each is in one process' hands at a time. */
export function startExports(services: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const { database, log } = services
  const failure = 'exports of the record could not be looked at'
  return lookOften(services, { everyMs: LOOK_MS, failure }, async (signal) => {
    let worked = false
    for (const each of await findExports(database)) {
      if (signal.aborted) return false
      try {
        if (await workExport(services, each)) worked = true
      } catch (error) {
        log.warn({ err: error, exportId: each.id }, 'an export failed; tried again')
      }
    }
    return worked
  })
}
