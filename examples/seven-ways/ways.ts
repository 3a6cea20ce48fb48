/** The ways in which the agent does its work, in the order they are shown; each has a document in `agents/`. */
export const WAYS = ['builtin', 'http', 'mcp', 'a2a', 'model', 'person', 'external'] as const
export type Way = (typeof WAYS)[number]

/** Whether a word is one of {@link WAYS}. */
export const isWay = (text: string): text is Way => WAYS.some((way) => way === text)
