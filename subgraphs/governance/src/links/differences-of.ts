import { canonicalJson } from '@tutti/schema'

/** A place where two values differ: keys from the root with dots between, `` for the root. Undefined: there is nothing. */
export interface Difference {
  path: string
  before: unknown
  after: unknown
}

/** Where two JSON values differ, key by key; lists and whatever is of another kind are told whole. */
export function differencesOf(before: unknown, after: unknown, path = ''): Difference[] {
  if (!isRecord(before) || !isRecord(after)) return isSame(before, after) ? [] : [{ path, before, after }]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differencesOf(own(before, key), own(after, key), path === '' ? key : `${path}.${key}`),
  )
}

const isSame = (before: unknown, after: unknown): boolean =>
  before === undefined || after === undefined
    ? before === after
    : canonicalJson(before) === canonicalJson(after)

const own = (of: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(of, key) ? of[key] : undefined

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
