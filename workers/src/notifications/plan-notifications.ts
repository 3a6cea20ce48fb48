import { planApproval, planEscalation, planGlass, planIncident, planInformed } from '@tutti/governance/domain'
import type { EventData, EventRecord, EventType } from '@tutti/schema'
import type { Consumer } from '../consumers/start-consumer.ts'
import { type WorkerServices, workerActor } from '../worker-services.ts'

const MOVED: readonly string[] = ['escalation.opened', 'escalation.raised', 'escalation.reassigned']
const ASKED: readonly string[] = [
  'approval.requested',
  'approval.endorsed',
  'approval.resubmitted',
  'approval.escalated',
]

const is = <T extends EventType>(type: T, event: EventRecord): event is EventRecord<T> => event.type === type

/** Makes what is to be told of what waits for somebody, and of what happened that others are to know; a page read again makes nothing anew. */
export function planNotifications(services: Pick<WorkerServices, 'database'>): Consumer {
  async function plan(event: EventRecord): Promise<void> {
    const { organizationId, type, data } = event
    const actor = workerActor(organizationId)
    if (is('authority.informed', event)) await planInformed(services, actor, event)
    if (is('access.glass_broken', event)) await planGlass(services, actor, event)
    if (is('incident.opened', event)) await planIncident(services, actor, event)
    if (MOVED.includes(type))
      await planEscalation(services, actor, (data as EventData<'escalation.opened'>).escalationId)
    if (type === 'escalation.exhausted')
      await planEscalation(
        services,
        actor,
        (data as EventData<'escalation.exhausted'>).escalationId,
        'exhausted',
      )
    if (type === 'approval.reminded')
      await planApproval(services, actor, (data as EventData<'approval.reminded'>).approvalId, 'reminded')
    if (ASKED.includes(type))
      await planApproval(services, actor, (data as EventData<'approval.requested'>).approvalId)
  }
  return {
    name: 'plan-notifications',
    failing: 'put_aside',
    async handle(events) {
      for (const event of events) await plan(event)
    },
  }
}
