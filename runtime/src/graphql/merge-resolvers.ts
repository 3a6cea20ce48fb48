/** A feature's resolvers: type name → fields, or an enum's values. */
type ResolverMap = Readonly<Record<string, object>>

/**
 * Brings the features' resolvers together. Features name each other's types (`Query`, `Agent`), so a type's fields are
 * joined; two features that resolve the same field are a mistake and throw at start.
 */
export function mergeResolvers(...maps: readonly object[]): ResolverMap {
  const merged: Record<string, object> = {}
  for (const map of maps)
    for (const [type, fields] of Object.entries(map)) {
      const known = merged[type] ?? {}
      const twice = Object.keys(fields).find((field) => field in known)
      if (twice !== undefined) throw new Error(`Two features resolve ${type}.${twice}.`)
      merged[type] = { ...known, ...fields }
    }
  return merged
}
