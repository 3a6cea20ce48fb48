/** Tools that the platform has for language models; an agent's `executor.tools` names those that its model may call. */
export const MODEL_TOOLS = ['search_knowledge', 'current_time'] as const

export type ModelTool = (typeof MODEL_TOOLS)[number]
