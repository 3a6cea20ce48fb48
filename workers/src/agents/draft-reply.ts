import { z } from 'zod'
import { composeDraft, composeDraftWithModel, type DraftRequest } from '../builtins/draft/index.ts'
import { ModelError } from '../builtins/model/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'
import { openModel } from '../models/open-model.ts'
import { customerMessage, relevantKnowledge, sentimentAnalysis } from './step-input.ts'

const settingsSchema = z.object({
  sign_off: z.partialRecord(z.enum(['en', 'de', 'es', 'fr']), z.string()).optional(),
})

/** Step 4: the reply. With a model server and a model in the agent's configuration it writes; else the article does. */
export const draftReply: Executor = async (call) => {
  const { task, agent, signal } = call
  const { sign_off: signOff } = settingsSchema.parse(agent.executor.settings)
  const sentiment = sentimentAnalysis.safeParse(task.input['sentiment_analysis'])
  const knowledge = relevantKnowledge.safeParse(task.input['relevant_knowledge'])
  const request: DraftRequest = {
    customerMessage: customerMessage.parse(task.input['customer_message']),
    ...(sentiment.success ? { sentiment: sentiment.data } : {}),
    ...(knowledge.success ? { knowledge: { articles: knowledge.data.articles as never } } : {}),
    ...(knowledge.data?.intent ? { intent: knowledge.data.intent } : {}),
    ...(signOff ? { signOff } : {}),
  }
  const model = await openModel(call, 'draft_reply')
  if (!model) return succeeded(composeDraft(request))
  try {
    const { draft, tokens } = await composeDraftWithModel(request, model.ask, signal)
    return succeeded({ ...draft, tokens }, model.costUsd())
  } catch (error) {
    if (error instanceof ModelError) {
      return failed(error.code, `${error.message} ${error.hint}`, {
        retryable: error.retryable,
        retryAfterMs: error.retryAfterMs,
      })
    }
    throw error
  }
}
