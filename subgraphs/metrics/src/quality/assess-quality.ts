import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import type { AssessmentRow } from './assessment-row.ts'
import { loadCriteria } from './load-criteria.ts'
import { recordAssessment } from './record-assessment.ts'
import { type Judgement, mergeJudgement, type OutputToScore, scoreOutput } from './scorers/index.ts'

/** An output to assess, with all that is known of it; ids say whose it is. */
export interface AssessQualityRequest extends Omit<OutputToScore, 'criteria'> {
  /** The same key returns the same assessment. */
  requestKey: string
  /** Whose criteria; the organization's default ones unless given. */
  criteriaName?: string | undefined
  /** What a model says of the same output: it may lower the rules' verdict, never raise it. */
  judgement?: Judgement | undefined
  /** Who judged, when somebody did. */
  scorer?: string | undefined
  taskId?: string | null | undefined
  runId?: string | null | undefined
  agentId?: string | null | undefined
  workflowId?: string | null | undefined
}

/** Scores an output by the organization's criteria and keeps the assessment, once a request key. */
export async function assessQuality(
  services: { database: Database },
  actor: Actor,
  request: AssessQualityRequest,
): Promise<AssessmentRow> {
  const {
    requestKey,
    criteriaName = 'default',
    judgement,
    scorer,
    taskId,
    runId,
    agentId,
    workflowId,
    ...output
  } = request
  const criteria = await loadCriteria(services, actor, criteriaName)
  const byRules = scoreOutput({ ...output, criteria })
  const verdict = judgement ? mergeJudgement(byRules, judgement) : byRules
  return recordAssessment(services, actor, {
    requestKey,
    scorer: judgement ? (scorer ?? 'model') : 'rules',
    criteriaVersion: criteria.version,
    overallScore: verdict.overallScore,
    confidence: verdict.confidence,
    belowMinimum: verdict.overallScore < criteria.minimumScore,
    dimensions: verdict.dimensions.map(({ name, score, reasons }) => ({
      name,
      score,
      reasons: [...reasons],
    })),
    recommendations: [...verdict.recommendations],
    flags: [...verdict.flags],
    taskId,
    runId,
    agentId,
    workflowId,
  })
}
