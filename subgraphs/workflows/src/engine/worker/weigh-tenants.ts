/** Who has how much of a worker's room. */
export interface Weights {
  /** Few strands under way, beside somebody with many: theirs are written first, in statements of their own. */
  light: ReadonlySet<string>
  /** As much of the room as one tenant gets: no more is claimed for them. */
  full: string[]
  /** How many more one tenant may have. */
  left: number
}

const LIGHT = 8
/** The share of the room that one tenant may have; what is left lets others begin at once. */
const SHARE = 3 / 4

/** Weighs the tenants of the strands under way in a worker with room for `concurrency`. */
export function weighTenants(under: Iterable<string>, concurrency: number): Weights {
  const counts = new Map<string, number>()
  for (const tenant of under) counts.set(tenant, (counts.get(tenant) ?? 0) + 1)
  const most = Math.max(0, ...counts.values())
  const share = Math.ceil(concurrency * SHARE)
  const light = new Set<string>()
  if (most > LIGHT) for (const [tenant, count] of counts) if (count <= LIGHT) light.add(tenant)
  return {
    light,
    full: [...counts].flatMap(([tenant, count]) => (count >= share ? [tenant] : [])),
    left: Math.max(0, share - most),
  }
}
