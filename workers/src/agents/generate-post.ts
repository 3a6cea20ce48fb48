import { z } from 'zod'
import {
  brandGuidelines,
  composePost,
  composePostWithModel,
  type PostRequest,
} from '../builtins/content/index.ts'
import { ModelError } from '../builtins/model/index.ts'
import { modelSettingsOf } from '../credentials/model-settings-of.ts'
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
export const generatePost: Executor = async ({ services, task, agent, secrets, signal, report }) => {
  const request: PostRequest = {
    trends: trends.parse(task.input['trends']).topics,
    guidelines: brandGuidelines.parse(task.input['brand_guidelines'] ?? {}),
    contentType: z.string().catch('social_post').parse(task.input['content_type']),
  }
  const settings = await modelSettingsOf({ services, agent, secrets })
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
