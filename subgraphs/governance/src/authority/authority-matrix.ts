import type { ActorRef } from '../access/actor-ref.ts'
import type { AuthorityEntry } from './authority-entry.ts'
import { DEFAULT_MATRIX } from './default-matrix.ts'

/** A version of the matrix; of the built-in one nobody set it. */
export interface AuthorityMatrix {
  version: number
  entries: readonly AuthorityEntry[]
  reason: string | null
  setBy: ActorRef | null
  createdAt: Date | null
}

export const BUILT_IN: AuthorityMatrix = {
  version: 0,
  entries: DEFAULT_MATRIX,
  reason: null,
  setBy: null,
  createdAt: null,
}

/** The columns of {@link AuthorityMatrix}. */
export const AUTHORITY_COLUMNS =
  'number as version, entries, reason, set_by as "setBy", created_at as "createdAt"'

/** The lines that one list has and the other has not. */
export function differenceOf(
  before: readonly AuthorityEntry[],
  after: readonly AuthorityEntry[],
): { added: AuthorityEntry[]; removed: AuthorityEntry[] } {
  const [old, present] = [new Set(before.map(textOf)), new Set(after.map(textOf))]
  return {
    added: after.filter((entry) => !old.has(textOf(entry))),
    removed: before.filter((entry) => !present.has(textOf(entry))),
  }
}

/** An entry in one order of its fields: PostgreSQL keeps another. */
const textOf = (entry: AuthorityEntry): string =>
  JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
