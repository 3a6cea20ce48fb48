import { suggestName } from '@tutti/runtime'
import { EVENTS } from '@tutti/schema'
import { isPlatformType } from '../engine/event-facts.ts'

/** Segments of a type, of letters, digits and `_ - : /`, between dots. */
const TYPE = /^[\w:/-]+(\.[\w:/-]+)*$/
const LONGEST = 200
/** What comes in from connectors: the platform's to publish, and named after them. */
const RECEIVED = /^connector\.[a-z0-9][a-z0-9_-]*\.(received|\*)$/

/** Whether a text can be a type of event. */
export const isEventType = (type: string): boolean => type.length <= LONGEST && TYPE.test(type)

/** What is wrong with what an event trigger calls for, in words; null when nothing is. */
export function problemOfPattern(pattern: string): string | null {
  const beginning = pattern.endsWith('.*') ? pattern.slice(0, -2) : null
  if (!isEventType(beginning ?? pattern)) {
    return 'A type is words between dots, as order.created; its last may be *, as run.*.'
  }
  // What a trigger does would fire it again, without a run between that could be counted.
  if (pattern.startsWith('trigger.')) return 'Triggers do not fire at what is told of triggers.'
  if (!isPlatformType(pattern)) return null
  if (RECEIVED.test(pattern)) return null
  const known = Object.keys(EVENTS)
  const meant =
    beginning === null ? known.includes(pattern) : known.some((type) => type.startsWith(`${beginning}.`))
  if (meant) return null
  const near = suggestName(pattern, known)
  return `The platform has no event ${pattern}.${near ? ` Did you mean ${near}?` : ''}`
}
