/** The RFC 8785 form of what `JSON.parse` gave. */
export function canonicalJson(value: unknown): string {
  // What stands in order already, as in every export, JSON.stringify writes as RFC 8785 wants it.
  return isOrdered(value) ? JSON.stringify(value) : ordered(value)
}

function isOrdered(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) {
    for (const item of value) if (!isOrdered(item)) return false
    return true
  }
  const members: Readonly<Record<string, unknown>> = { ...value }
  let before = ''
  for (const key in members) {
    if (key < before || !isOrdered(members[key])) return false
    before = key
  }
  return true
}

function ordered(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(ordered).join(',')}]`
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${ordered(item)}`)
  return `{${members.join(',')}}`
}
