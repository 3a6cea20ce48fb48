import { isIP } from 'node:net'
import { z } from 'zod'

const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 }

/** An address, or a network as 10.0.0.0/8; all addresses are none. */
function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const bits = BITS[isIP(address)]
  if (bits === undefined || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits)
}

/** Whose `X-Forwarded-For` is believed: addresses and networks, parted by commas. */
export const trustedProxies = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every(isNetwork), 'must be addresses or networks, as 10.0.0.0/8,192.0.2.7')
