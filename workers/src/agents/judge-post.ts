import { z } from 'zod'
import { brandGuidelines, reviewPost } from '../builtins/content/index.ts'
import { type Executor, failed, succeeded } from '../executors/executor.ts'

const post = z.object({ text: z.string(), content_type: z.string().default('social_post') })

/** What the post is worth, by rules; the workflow's condition says what a person has to see. */
export const judgePost: Executor = async ({ task }) => {
  const given = post.safeParse(task.input['generated_content'])
  if (!given.success) return failed('NOTHING_TO_REVIEW', 'There is no post to review.')
  return succeeded(reviewPost(given.data, brandGuidelines.parse(task.input['brand_guidelines'] ?? {})))
}
