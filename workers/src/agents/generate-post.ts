import { z } from 'zod'
import {
  brandGuidelines,
  composePost,
  composePostWithModel,
  type PostRequest,
} from '../builtins/content/index.ts'
import { ModelError, modelSettingsFrom } from '../builtins/model/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'

const trends = z
  .object({
    topics: z.array(
      z.object({
        topic: z.string(),
        mentions: z.number(),
        before: z.number(),
        rise: z.number(),
        example: z.string(),
      }),
    ),
  })
  .catch({ topics: [] })

/** Writes the post: a model, when the agent names one and a server is set, else rules. */
export const generatePost: Executor = async ({ services, task, agent, signal, report }) => {
  const request: PostRequest = {
    trends: trends.parse(task.input['trends']).topics,
    guidelines: brandGuidelines.parse(task.input['brand_guidelines'] ?? {}),
    contentType: z.string().catch('social_post').parse(task.input['content_type']),
  }
  const settings = agent.models ? modelSettingsFrom(services.models, agent.models.primary) : undefined
  if (!settings) return succeeded(composePost(request))
  report({ message: `Asking the model ${settings.model}.` })
  try {
    return succeeded(await composePostWithModel(request, settings, signal))
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    const { code, retryable, retryAfterMs } = error
    return failed(code, `${error.message} ${error.hint}`, { retryable, retryAfterMs })
  }
}
