import type { Database } from '@tutti/prisma'
import { type EventData, type EventRecord, systemActor } from '@tutti/schema'
import { detectWorkflowFailures } from '../anomalies/detect-workflow-failures.ts'

const OUTCOMES = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
} as const
type Ended = EventRecord<keyof typeof OUTCOMES>

const isEnd = (event: EventRecord): event is Ended => event.type in OUTCOMES

/**
 * Consumer of the event log: notes how each run ended, once a run however often its event is seen, and looks at the
 * failure rates of the workflows concerned. Events of any tenants, in the log's order.
 */
export async function recordOutcomes(
  { database }: { database: Database },
  events: readonly EventRecord[],
): Promise<void> {
  const byTenant = Map.groupBy(events.filter(isEnd), (event) => event.organizationId)
  for (const [organizationId, ended] of byTenant) {
    const rows = ended.map(({ type, time, data }) => {
      const { runId, workflowId, workflowName }: EventData<'run.completed' | 'run.failed' | 'run.cancelled'> =
        data
      return { runId, workflowId, workflowName, outcome: OUTCOMES[type], endedAt: time.toISOString() }
    })
    await database.inTenant(systemActor(organizationId, 'metrics'), async (tx) => {
      await tx.sql(
        `insert into run_outcome (organization_id, id, workflow_id, workflow_name, outcome, ended_at)
         select $1::uuid, (o->>'runId')::uuid, (o->>'workflowId')::uuid, o->>'workflowName', o->>'outcome', (o->>'endedAt')::timestamptz
         from jsonb_array_elements($2::jsonb) o order by 2
         on conflict (organization_id, id) do nothing`,
        organizationId,
        JSON.stringify(rows),
      )
      // The log's clock, not ours: whoever catches up sees the rates as they were.
      const at = ended.reduce((latest, { time }) => (time > latest ? time : latest), new Date(0))
      await detectWorkflowFailures(tx, [...new Set(rows.map(({ workflowId }) => workflowId))], at)
    })
  }
}
