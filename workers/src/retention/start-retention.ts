import {
  deleteExpiredResponses,
  deleteOldBookings,
  deleteOldLoads,
  deleteOldDeliveries,
  deleteOldMessages,
  deleteOldModelCalls,
  deleteOldUses,
} from '@tutti/agents/domain'
import {
  deleteOldExportParts,
  deleteOldLinks,
  deleteOldNotifications,
  pruneAudit,
} from '@tutti/governance/domain'
import { deleteExpiredLogs, deleteOldFirings } from '@tutti/workflows/domain'
import { lookOften } from '../look-often.ts'
import type { WorkerServices } from '../worker-services.ts'

const EVERY_MS = 10 * 60 * 1000

/** What is taken away once its time is over, by what it is; each answers with how many went. */
const SWEEPS = {
  'lines of tasks': deleteExpiredLogs,
  'firings of triggers': deleteOldFirings,
  'calls of models': deleteOldModelCalls,
  'answers of models': deleteExpiredResponses,
  'deliveries of connectors': deleteOldDeliveries,
  'messages of agents': deleteOldMessages,
  'bookings of resources': deleteOldBookings,
  'uses of budgets': deleteOldUses,
  'load of agents': deleteOldLoads,
  notifications: deleteOldNotifications,
  'links to decide': deleteOldLinks,
  'entries of the audit trail': pruneAudit,
  'parts of exports': deleteOldExportParts,
} as const

/** Takes away what is past its time, of every tenant, every ten minutes; several workers may. */
export function startRetention({ database, log }: Pick<WorkerServices, 'database' | 'log'>): AsyncDisposable {
  const failure = 'what is past its time could not be taken away'
  return lookOften({ log }, { everyMs: EVERY_MS, firstMs: EVERY_MS, failure }, async (signal) => {
    for (const [what, take] of Object.entries(SWEEPS)) {
      try {
        while (!signal.aborted && (await take({ database })) > 0);
      } catch (error) {
        log.warn({ err: error, what }, failure)
      }
    }
  })
}
