import { assessQuality } from '@tutti/metrics/domain'
import { ModelError } from '../builtins/model/index.ts'
import { judgeQualityWithModel, type ModelJudgement } from '../builtins/quality/index.ts'
import { type Executor, failed, succeeded, type TaskCall } from '../executors/executor.ts'
import { openModel } from '../models/open-model.ts'
import { draftResponse } from './step-input.ts'

/**
 * Step 5: whether the draft may go out as it is. Rules judge; a model, when the agent names one and a server is set,
 * may lower their verdict and never raise it. The assessment is recorded with the task.
 */
export const checkQuality: Executor = async (call) => {
  const { services, task, actor, idempotencyKey } = call
  const draft = draftResponse.safeParse(task.input['draft_response'])
  if (!draft.success) return failed('NOTHING_TO_CHECK', 'There is no draft to check.')
  const { text, question, sources, unanswered, confidence, flags } = draft.data
  const { judgement, costUsd } = await judge(call, { text, question, sources, unanswered })
  const assessment = await assessQuality(services, actor, {
    requestKey: `task/${idempotencyKey}`,
    text,
    question,
    sources,
    unanswered,
    answerConfidence: confidence,
    notes: flags,
    taskId: task.id,
    runId: task.runId,
    agentId: task.agentId,
    workflowId: task.workflowId,
    ...(judgement ? { judgement, scorer: judgement.model } : {}),
  })
  const output = {
    assessment_id: assessment.id,
    confidence: assessment.confidence,
    overall_score: assessment.overallScore,
    dimensions: assessment.dimensions,
    flags: assessment.flags,
    recommendations: assessment.recommendations,
  }
  return succeeded(output, costUsd)
}

/** The rules' verdict stands when the model cannot be asked: a safe default, told in the log. */
async function judge(
  call: TaskCall,
  output: Parameters<typeof judgeQualityWithModel>[0],
): Promise<{ judgement?: ModelJudgement; costUsd: number }> {
  const model = await openModel(call, 'quality_check')
  if (!model) return { costUsd: 0 }
  const { services, signal, log } = call
  try {
    const judgement = await judgeQualityWithModel(output, model.ask, signal)
    return { judgement, costUsd: model.costUsd() }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    log('warn', 'The model did not judge; the rules alone did.', { code: error.code })
    services.log.warn({ code: error.code }, 'the model did not judge; the rules alone did')
    return { costUsd: model.costUsd() }
  }
}
