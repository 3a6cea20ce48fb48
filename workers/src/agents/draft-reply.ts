import { z } from 'zod'
import { composeDraft, composeDraftWithModel, type DraftRequest } from '../builtins/draft/index.ts'
import { ModelError } from '../builtins/model/index.ts'
import { modelSettingsOf } from '../credentials/model-settings-of.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'
import { customerMessage, relevantKnowledge, sentimentAnalysis } from './step-input.ts'

const settingsSchema = z.object({
  sign_off: z.partialRecord(z.enum(['en', 'de', 'es', 'fr']), z.string()).optional(),
})

/** Step 4: the reply. With a model server and a model in the agent's configuration it writes; else the article does. */
export const draftReply: Executor = async ({ services, task, agent, secrets, signal }) => {
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
  const settings = await modelSettingsOf({ services, agent, secrets })
  if (!settings) return succeeded(composeDraft(request))
  try {
    const { draft, tokens } = await composeDraftWithModel(request, settings, signal)
    return succeeded({ ...draft, tokens })
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
