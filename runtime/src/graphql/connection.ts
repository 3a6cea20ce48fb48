import { fail } from '@tutti/schema'

export interface PageArguments {
  first?: number | null | undefined
  after?: string | null | undefined
}

export interface Connection<Node> {
  edges: { cursor: string; node: Node }[]
  nodes: Node[]
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

const DEFAULT_PAGE = 20
const MAX_PAGE = 100
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * How many rows to read (one more than asked, to know whether more follow) and after which id. Ids are UUIDv7: their
 * order is the order of creation. BAD_INPUT when `first` is not 1 to 100, CURSOR_INVALID for a foreign cursor.
 */
export function readPage({ first, after }: PageArguments): { take: number; afterId: string | null } {
  const size = first ?? DEFAULT_PAGE
  if (size < 1 || size > MAX_PAGE) {
    fail('BAD_INPUT', { path: 'first', message: `A page has 1 to ${MAX_PAGE} entries.` })
  }
  if (after == null) return { take: size + 1, afterId: null }
  const afterId = Buffer.from(after, 'base64url').toString()
  return ID.test(afterId) ? { take: size + 1, afterId } : fail('CURSOR_INVALID', { path: 'after' })
}

/** A Relay connection of rows read with {@link readPage}'s `take`. */
export function connectionOf<Node extends { id: string }>(
  rows: readonly Node[],
  take: number,
): Connection<Node> {
  const nodes = rows.slice(0, take - 1)
  const edges = nodes.map((node) => ({ cursor: Buffer.from(node.id).toString('base64url'), node }))
  return {
    edges,
    nodes,
    pageInfo: { hasNextPage: rows.length >= take, endCursor: edges.at(-1)?.cursor ?? null },
  }
}

/** UUID check for arguments that name an id: a malformed one answers exactly like one that does not exist. */
export const isId = (value: string): boolean => ID.test(value)
