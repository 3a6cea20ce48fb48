import { recordOutcomes } from '@tutti/metrics/domain'
import type { WorkerServices } from '../worker-services.ts'
import type { Consumer } from './start-consumer.ts'

/** Tells metrics how runs ended; it notices when too many fail. */
export function watchOutcomes(services: WorkerServices): Consumer {
  return { name: 'watch-outcomes', handle: (events) => recordOutcomes(services, events) }
}
