import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { ASSESSMENT_COLUMNS, type AssessmentRow } from './assessment-row.ts'

const score = z.number().min(0).max(1)
// Reasons quote the output: what PostgreSQL cannot keep is cut out of them, the verdict stands all the same.
const text = z.string().transform((value) => value.replaceAll('\0', '').toWellFormed())
const reference = z.uuid().nullish()

const input = z.object({
  requestKey: z
    .string()
    .min(1)
    .max(300)
    .refine((key) => !key.includes('\0'), 'It must not hold the NUL character.'),
  scorer: z.string().min(1).max(200),
  criteriaVersion: z.int().min(0),
  overallScore: score,
  confidence: score,
  belowMinimum: z.boolean(),
  dimensions: z.array(z.object({ name: text, score, reasons: z.array(text) })).max(50),
  recommendations: z.array(text).max(100),
  flags: z.array(text).max(100),
  taskId: reference,
  runId: reference,
  agentId: reference,
  workflowId: reference,
})

/** A verdict on one output, whoever came to it. */
export type AssessmentToRecord = z.input<typeof input>

/** Keeps an assessment once a request key and tells of it; the same key again answers with the first one. */
export async function recordAssessment(
  { database }: { database: Database },
  actor: Actor,
  assessment: AssessmentToRecord,
): Promise<AssessmentRow> {
  const given = parseInput(input, assessment, 'assessment')
  return database.inTenant(actor, async (tx) => {
    const [created] = await tx.sql<AssessmentRow>(
      `insert into quality_assessment (organization_id, request_key, task_id, run_id, agent_id, workflow_id, scorer, criteria_version,
         overall_score, confidence, dimensions, recommendations, flags, below_minimum)
       values ($1::uuid, $2, $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7, $8::int, $9::float8, $10::float8, $11::jsonb, $12::text[],
         $13::text[], $14::boolean)
       on conflict (organization_id, request_key) do nothing returning ${ASSESSMENT_COLUMNS}`,
      actor.organizationId,
      given.requestKey,
      given.taskId ?? null,
      given.runId ?? null,
      given.agentId ?? null,
      given.workflowId ?? null,
      given.scorer,
      given.criteriaVersion,
      given.overallScore,
      given.confidence,
      JSON.stringify(given.dimensions),
      given.recommendations,
      given.flags,
      given.belowMinimum,
    )
    if (created) {
      const { id, taskId, runId, overallScore, belowMinimum } = created
      const data = { assessmentId: id, taskId, runId, overallScore, belowMinimum }
      await tx.appendEvent({ type: 'quality.assessed', subject: `assessment/${id}`, data })
      return created
    }
    const [existing] = await tx.sql<AssessmentRow>(
      `select ${ASSESSMENT_COLUMNS} from quality_assessment where organization_id = $1::uuid and request_key = $2`,
      actor.organizationId,
      given.requestKey,
    )
    return existing ?? fail('INTERNAL')
  })
}
