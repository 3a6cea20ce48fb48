import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import type { Door } from '../platform/find-door.ts'
import { alterRecord } from './alter-record.ts'
import type { Arguments } from './arguments.ts'
import { exportRecord } from './export-record.ts'
import { commandOf, verifyRecord } from './verify-record.ts'

const AN_HOUR_MS = 60 * 60_000

/** What the verifier says of the record, and of a copy of it with one byte changed. */
export interface Proof {
  told: string
  /** Whether the record verifies, and the copy does not, for what was changed in it. */
  holds: boolean
}

/** Exports the record of the hour that ends with a moment (ISO 8601, by the platform's clock), and lets it be verified offline. */
export async function proveRecord(door: Door, end: string, given: Arguments): Promise<Proof> {
  const directory =
    given.out === undefined ? mkdtempSync(join(tmpdir(), 'tutti-record-')) : resolve(given.out)
  mkdirSync(directory, { recursive: true })
  const exported = await exportRecord(door, {
    from: new Date(Date.parse(end) - AN_HOUR_MS).toISOString(),
    until: new Date(Date.parse(end) + 1).toISOString(),
    directory,
    checkpoints: given.checkpoints,
  })
  const altered = { ...exported, record: join(directory, 'altered.jsonl') }
  const { sequence, change } = alterRecord(exported.record, altered.record)
  const [verdict, verdictOfAltered] = [await verifyRecord(exported), await verifyRecord(altered)]
  return {
    told: [
      'The record of the hour, verified offline:',
      `  $ ${commandOf(exported)}`,
      indent(verdict.said),
      `A copy in which one byte is another (${change}):`,
      indent(verdictOfAltered.said),
    ].join('\n'),
    holds:
      verdict.exitCode === 0 &&
      verdictOfAltered.exitCode === 1 &&
      verdictOfAltered.said.includes(` at ${sequence}: `),
  }
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')
