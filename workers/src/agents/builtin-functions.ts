import type { BuiltinFunction } from '@tutti/agents/domain'
import type { Executor } from '../executors/executor.ts'
import { succeeded } from '../executors/executor.ts'
import { draftReply } from './draft-reply.ts'
import { escalate } from './escalate.ts'
import { classifyIntent } from './classify-intent.ts'
import { checkQuality } from './check-quality.ts'
import { generatePost } from './generate-post.ts'
import { judgePost } from './judge-post.ts'
import { readSentiment } from './read-sentiment.ts'
import { researchTrends } from './research-trends.ts'
import { schedulePost } from './schedule-post.ts'
import { searchKnowledge } from './search-knowledge.ts'
import { sendReply } from './send-reply.ts'

const functions: Record<BuiltinFunction, Executor> = {
  sentiment: readSentiment,
  intent: classifyIntent,
  knowledge_search: searchKnowledge,
  draft_reply: draftReply,
  quality_check: checkQuality,
  send_message: sendReply,
  escalate,
  research_trends: researchTrends,
  generate_post: generatePost,
  review_post: judgePost,
  schedule_post: schedulePost,
  noop: async () => succeeded(null),
  echo: async ({ task }) => succeeded(task.input),
}

/** What `executor.function` may name. */
export const builtinFunctions: Readonly<Record<string, Executor>> = functions
