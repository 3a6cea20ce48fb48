/** Functions that the platform's own workers have; `executor.function` names one of them. */
export const BUILTIN_FUNCTIONS = [
  'sentiment',
  'intent',
  'knowledge_search',
  'draft_reply',
  'quality_check',
  'send_message',
  'escalate',
  'research_trends',
  'generate_post',
  'review_post',
  'schedule_post',
  'noop',
  'echo',
] as const

export type BuiltinFunction = (typeof BUILTIN_FUNCTIONS)[number]

/** Whether a name is one of {@link BUILTIN_FUNCTIONS}. */
export const isBuiltinFunction = (name: string): name is BuiltinFunction =>
  (BUILTIN_FUNCTIONS as readonly string[]).includes(name)
