import { execFile } from 'node:child_process'
import { join } from 'node:path'

import type { ExportedRecord } from './export-record.ts'

const VERIFIER = join(import.meta.dirname, '../../packages/verify/bin/tutti-verify.js')

/** What the verifier says. */
export interface Verdict {
  /** 0: nothing is wrong, 1: something is, 2: it could not tell. */
  exitCode: number
  said: string
}

/** The command line by which anybody verifies it, without the platform. */
export const commandOf = (exported: ExportedRecord): string =>
  ['npx tutti-verify', ...argumentsOf(exported)].join(' ')

/** Runs the verifier in a process of its own, which knows these files and nothing else. */
export function verifyRecord(exported: ExportedRecord): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [VERIFIER, ...argumentsOf(exported)],
      (error, stdout, stderr) => {
        if (child.exitCode === null) reject(error ?? new Error('The verifier was killed.'))
        else resolve({ exitCode: child.exitCode, said: `${stdout}${stderr}`.trim() })
      },
    )
  })
}

const argumentsOf = ({ record, checkpoints, key, from, to }: ExportedRecord): string[] => [
  record,
  ...['--checkpoints', checkpoints, '--key', key, '--from', `${from}`, '--to', `${to}`],
]
