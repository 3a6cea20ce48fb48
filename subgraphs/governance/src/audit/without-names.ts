import { isRecord } from '@tutti/schema'

/**
 * A JSON value in which people stand by id: `{ id, kind: 'person', name }` has no name any more, however deep it is. An entry
 * is under the keys of whom it is about, and not of everybody whom it mentions, so it must not call them anything.
 */
export function withoutNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNames)
  if (!isRecord(value) || value instanceof Date) return value
  const isPerson = value['kind'] === 'person' && typeof value['id'] === 'string'
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isPerson || key !== 'name')
      .map(([key, each]) => [key, withoutNames(each)]),
  )
}
