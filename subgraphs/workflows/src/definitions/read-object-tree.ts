import type { Place, ProblemList } from './problem.ts'
import { isUsableKey, shorten, TREE_LIMITS } from './tree.ts'
import type { Tree, TreeEntry } from './tree.ts'

/**
 * Reads a plain JSON value into a tree. Undefined when it is too large or nested too deeply (a value that contains
 * itself is); anything JSON has no word for is noted as `wrong_type`.
 */
export function readObjectTree(value: unknown, problems: ProblemList): Tree | undefined {
  let values = 0
  let refused = false

  const read = (current: unknown, path: readonly string[], depth: number): Tree => {
    const place: Place = { path }
    values += 1
    if (values > TREE_LIMITS.values || depth > TREE_LIMITS.depth) {
      if (!refused)
        problems.add(
          'too_complex',
          place,
          'The definition is nested too deeply or holds too much.',
          `At most ${TREE_LIMITS.depth} levels and ${TREE_LIMITS.values} values.`,
        )
      refused = true
    }
    if (refused) return { kind: 'scalar', ...place, value: null }
    if (Array.isArray(current))
      return {
        kind: 'list',
        ...place,
        items: current.map((item, index) => read(item, [...path, String(index)], depth + 1)),
      }
    if (isRecord(current)) return { kind: 'map', ...place, entries: entriesOf(current, path, depth) }
    if (typeof current === 'string' || typeof current === 'number' || typeof current === 'boolean')
      return { kind: 'scalar', ...place, value: current }
    if (current !== null && current !== undefined)
      problems.add(
        'wrong_type',
        place,
        `A ${typeof current} is not a JSON value.`,
        'Use texts, numbers, booleans, lists and mappings.',
      )
    return { kind: 'scalar', ...place, value: null }
  }

  const entriesOf = (
    record: Record<string, unknown>,
    path: readonly string[],
    depth: number,
  ): TreeEntry[] => {
    const seen = new Set<string>()
    const entries: TreeEntry[] = []
    for (const key of Object.keys(record)) {
      // As in JSON, a key without a value is not there.
      if (record[key] === undefined) continue
      const keyPlace = { path: [...path, shorten(key)] }
      if (isUsableKey(key, seen, keyPlace, problems))
        entries.push({ key, keyPlace, value: read(record[key], keyPlace.path, depth + 1) })
      if (refused) break
    }
    return entries
  }

  const tree = read(value, [], 0)
  return refused ? undefined : tree
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
