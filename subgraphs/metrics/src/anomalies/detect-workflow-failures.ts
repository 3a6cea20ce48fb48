import type { TenantTransaction } from '@tutti/prisma'
import { ANOMALY_COLUMNS, type AnomalyRow } from './anomaly-row.ts'

/** The seed's threshold: "Workflow failure rate is above 10%", severity high. */
const FAILURE_RATE = 0.1
/** Fewer ended runs than this say nothing. */
const LEAST_RUNS = 20

interface Rate {
  workflowId: string
  name: string
  ended: number
  failed: number
}

/**
 * Notes an anomaly for each of the workflows of which more than a tenth of the runs failed in the hour before `at`, of at
 * least 20 that ended; once a workflow and clock hour, so that seeing the same events twice notes nothing new.
 */
export async function detectWorkflowFailures(
  tx: TenantTransaction,
  workflowIds: readonly string[],
  at: Date,
): Promise<AnomalyRow[]> {
  const rates = await tx.sql<Rate>(
    `select workflow_id as "workflowId", max(workflow_name) as name, count(*)::int as ended,
       count(*) filter (where outcome = 'failed')::int as failed
     from run_outcome
     where organization_id = $1::uuid and workflow_id = any($2::uuid[]) and ended_at > $3::timestamptz - interval '1 hour'
       and ended_at <= $3::timestamptz
     group by workflow_id`,
    tx.actor.organizationId,
    workflowIds,
    at.toISOString(),
  )
  const detected: AnomalyRow[] = []
  for (const { workflowId, name, ended, failed } of rates) {
    if (ended < LEAST_RUNS || failed / ended <= FAILURE_RATE) continue
    const [anomaly] = await tx.sql<AnomalyRow>(
      `insert into anomaly (organization_id, request_key, type, severity, scope, workflow_id, value, threshold, description, detected_at)
       values ($1::uuid, $2, 'workflow_failures', 'high', 'workflow', $3::uuid, $4::float8, $5::float8, $6, $7::timestamptz)
       on conflict (organization_id, request_key) do nothing returning ${ANOMALY_COLUMNS}`,
      tx.actor.organizationId,
      `workflow_failures/${workflowId}/${at.toISOString().slice(0, 13)}`,
      workflowId,
      failed / ended,
      FAILURE_RATE,
      `Workflow failure rate is above 10%: ${failed} of ${ended} runs of "${name}" failed within an hour.`,
      at.toISOString(),
    )
    if (anomaly) detected.push(anomaly)
  }
  await tx.appendEvents(
    detected.map(({ id, detectedAt: _, ...anomaly }) => ({
      type: 'anomaly.detected' as const,
      subject: `anomaly/${id}`,
      data: { anomalyId: id, ...anomaly },
    })),
  )
  return detected
}
