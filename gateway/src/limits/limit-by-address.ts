import { isIPv6 } from 'node:net'

const WINDOW_MS = 60_000
/** Addresses remembered at once: the oldest is forgotten for a new one, so that memory is bounded. */
const MOST_ADDRESSES = 20_000

/**
 * Counts calls by address in windows of a minute, in this process. Output: null when one more is fine, else whole seconds to
 * wait. Of an IPv6 address the first half counts: a caller has the other to choose from. What is no address is counted as it is.
 */
export function limitByAddress(
  mostInAMinute: number,
  now: () => number = Date.now,
): (address: string) => number | null {
  const windows = new Map<string, { count: number; until: number }>()
  return (address) => {
    const key = isIPv6(address) && !address.startsWith('::ffff:') ? networkOf(address) : address
    const at = now()
    const known = windows.get(key)
    if (known && known.until > at) {
      known.count += 1
      return known.count <= mostInAMinute ? null : Math.ceil((known.until - at) / 1_000)
    }
    windows.delete(key)
    const [oldest] = windows.size < MOST_ADDRESSES ? [] : windows.keys()
    if (oldest !== undefined) windows.delete(oldest)
    windows.set(key, { count: 1, until: at + WINDOW_MS })
    return null
  }
}

/** The first four groups; those that `::` stands for are zeros. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0')
  return [...groups, ...zeros, ...after].slice(0, 4).join(':')
}
