import { recordOutcomes } from '@tutti/metrics/domain'
import type { WorkerServices } from '../worker-services.ts'
import type { Consumer } from './start-consumer.ts'

/** Every look at a failure rate counts the runs of an hour. */
const GATHER_MS = 500

/** Tells metrics how runs ended; it notices when too many fail. */
export function watchOutcomes(services: WorkerServices): Consumer {
  return {
    name: 'watch-outcomes',
    gatherMs: GATHER_MS,
    failing: 'put_aside',
    handle: (events) => recordOutcomes(services, events),
  }
}
