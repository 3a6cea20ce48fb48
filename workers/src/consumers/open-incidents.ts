import { openIncidentForCause } from '@tutti/governance/domain'
import type { EventData } from '@tutti/schema'
import { type WorkerServices, workerActor } from '../worker-services.ts'
import type { Consumer } from './start-consumer.ts'

/** A high or critical anomaly opens an incident by itself, one a cause while it is open. */
export function openIncidents(services: WorkerServices): Consumer {
  return {
    name: 'open-incidents',
    failing: 'put_aside',
    async handle(events) {
      for (const event of events) {
        if (event.type !== 'anomaly.detected') continue
        const anomaly = event.data as EventData<'anomaly.detected'>
        if (anomaly.severity === 'warning') continue
        await openIncidentForCause(services, workerActor(event.organizationId), {
          cause: `${anomaly.type}/${anomaly.workflowId ?? anomaly.scope}`,
          title: anomaly.description.slice(0, 200),
          description: `${anomaly.description} Measured ${anomaly.value.toFixed(3)}, threshold ${anomaly.threshold}.`,
          impact: anomaly.severity === 'critical' ? 'domain' : 'team',
          workflowId: anomaly.workflowId,
          anomalyId: anomaly.anomalyId,
        })
      }
    },
  }
}
