import { BlockList, isIPv4, isIPv6 } from 'node:net'

// Two lists: in one, an IPv6 network would be compared with IPv4 addresses as well (`::ffff:0:0/96` is all of them).
const forbidden4 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  forbidden4.addSubnet(network, prefix, 'ipv4')
}
// Global unicast is 2000::/3; within it, what leads to an IPv4 address or nowhere (Teredo, 6to4, documentation).
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')
const forbidden6 = new BlockList()
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  forbidden6.addSubnet(network, prefix, 'ipv6')
}

/** Whether an address is a public one. What wraps an IPv4 address into IPv6 is not, whichever it wraps. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !forbidden4.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  return global6.check(address, 'ipv6') && !forbidden6.check(address, 'ipv6')
}

/**
 * Why a URL that somebody outside gave may not be called, or null when it may as far as its text says: https to a name or to a public
 * address, unless this installation allows its own machine. What a name leads to is checked when connecting.
 */
export function refuseAddress(url: string, allowLocal: boolean): string | null {
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) return 'A URL with credentials is not called.'
  if (allowLocal) {
    return protocol === 'https:' || protocol === 'http:' ? null : 'Only http and https are called.'
  }
  if (protocol !== 'https:') return 'Only https is called.'
  const host = hostname.replace(/^\[|\]$/g, '')
  return (isIPv4(host) || isIPv6(host)) && !isPublicAddress(host) ? NOT_PUBLIC : null
}

export const NOT_PUBLIC = 'The address is not a public one.'
