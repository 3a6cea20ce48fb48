import { readFileSync, writeFileSync } from 'node:fs'

import { z } from 'zod'

/** Where a record was altered. */
export interface Alteration {
  /** The entry of the chain. */
  sequence: number
  /** For people. */
  change: string
}

const entry = z.object({ sequence: z.number() })

/** Flips one bit of one byte: of the first amount that the record says was let through, so that it is another amount. */
export function alterRecord(from: string, to: string): Alteration {
  const bytes = readFileSync(from)
  const text = bytes.toString('latin1')
  const found = /"amount":([\d.]*\d)/.exec(text)
  if (!found?.[1]) throw new Error(`There is no amount in ${from}.`)
  const place = found.index + found[0].length - 1
  // 0 becomes 1, 8 becomes 9, and so on.
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  writeFileSync(to, bytes)
  const start = text.lastIndexOf('\n', place) + 1
  const line = bytes.subarray(start, text.indexOf('\n', place))
  const { sequence } = entry.parse(JSON.parse(line.toString()))
  const now = bytes.toString('latin1', place + 1 - found[1].length, place + 1)
  return { sequence, change: `the amount ${found[1]} became ${now} in entry ${sequence}` }
}
