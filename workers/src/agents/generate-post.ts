import { z } from 'zod'
import {
  brandGuidelines,
  composePost,
  composePostWithModel,
  type PostRequest,
} from '../builtins/content/index.ts'
import { ModelError } from '../builtins/model/index.ts'
import { openModel } from '../models/open-model.ts'
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
export const generatePost: Executor = async (call) => {
  const { task, signal, report } = call
  const request: PostRequest = {
    trends: trends.parse(task.input['trends']).topics,
    guidelines: brandGuidelines.parse(task.input['brand_guidelines'] ?? {}),
    contentType: z.string().catch('social_post').parse(task.input['content_type']),
  }
  const model = await openModel(call, 'generate_post')
  if (!model) return succeeded(composePost(request))
  report({ message: 'Asking a language model.' })
  try {
    const post = await composePostWithModel(request, model.ask, signal)
    return succeeded(post, model.costUsd())
  } catch (error) {
    if (!(error instanceof ModelError)) throw error
    const { code, retryable, retryAfterMs } = error
    return failed(code, `${error.message} ${error.hint}`, { retryable, retryAfterMs })
  }
}
