/** From the least to the most urgent. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** How urgent a line is. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Whether a text is a level. */
export const isLogLevel = (text: string): text is LogLevel => LOG_LEVELS.some((level) => level === text)

/** A level and the more urgent ones; all when none is given. */
export const levelsFrom = (least: string | null | undefined): readonly LogLevel[] =>
  least && isLogLevel(least) ? LOG_LEVELS.slice(LOG_LEVELS.indexOf(least)) : LOG_LEVELS
