import { suggestName } from '@tutti/runtime'
import { EVENTS, type EventType, fail, type Problem } from '@tutti/schema'

const ALL = Object.keys(EVENTS).filter(isEventType)

/** The events that a feed or a history can hold: those whose types begin so. */
export const eventTypes = (...prefixes: readonly string[]): EventType[] =>
  ALL.filter((type) => prefixes.some((prefix) => type.startsWith(prefix)))

/**
 * The types that a client asked for by name or by a pattern with `*` for any part of it, as `task.*` or `*.failed`; all
 * of them when it asked for none in particular. BAD_INPUT lists what fits no type, with its place below `path`.
 */
export function selectTypes(
  known: readonly EventType[],
  patterns: readonly string[] | null | undefined,
  path: string,
): EventType[] {
  if (!patterns) return [...known]
  const problems: Problem[] = []
  const wanted = new Set<EventType>()
  for (const [index, pattern] of patterns.entries()) {
    const fitting = known.filter((type) => fits(type, pattern))
    for (const type of fitting) wanted.add(type)
    if (fitting.length > 0) continue
    const suggestion = suggestName(pattern, known)
    problems.push({
      code: 'UNKNOWN_TYPE',
      message: 'No event here is called that.',
      path: `${path}[${index}]`,
      hint: suggestion ? `Did you mean ${suggestion}?` : `One of ${known.join(', ')}; * stands for any part.`,
    })
  }
  const [first] = problems
  if (first) fail('BAD_INPUT', { path: first.path ?? path, message: first.message, problems })
  return known.filter((type) => wanted.has(type))
}

/** Without a regular expression: a pattern is a client's. */
function fits(type: string, pattern: string): boolean {
  const [head = '', ...parts] = pattern.split('*')
  const tail = parts.pop()
  if (tail === undefined) return type === pattern
  if (!type.startsWith(head)) return false
  let at = head.length
  for (const part of parts) {
    const found = type.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return type.length - tail.length >= at && type.endsWith(tail)
}

function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type)
}
