import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { readTextFile } from '../input/read-text-file.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

const CHAIN = `query Chain { auditChain { sealedThrough lag publicKey lastCheckpoint { lastSequence publishedAt } } }`
const EXPORT = `mutation ExportAudit($input: ExportAuditInput!) { exportAudit(input: $input) { export { id } } }`
const EXPORTED = `query Exported($id: ID!) { auditExport(id: $id) { status parts firstSequence lastSequence } }`
const PART = `query Part($id: ID!, $part: Int!) { auditExport(id: $id) { content(part: $part) } }`

interface Chain {
  sealedThrough: number
  lag: number
  publicKey: string
  lastCheckpoint: { lastSequence: number; publishedAt: string | null } | null
}

const LOOK_MS = 200
const PATIENCE_MS = 150_000

/** The record of some time with all that it takes to verify it, as files. */
export interface ExportedRecord {
  record: string
  checkpoints: string
  key: string
  /** The first entry of the chain that it has, and the last. */
  from: number
  to: number
}

/** Which time (ISO 8601), into which directory, and where the platform keeps checkpoints. */
export interface ExportSettings {
  from: string
  until: string
  directory: string
  checkpoints: string
}

/** Exports the record of a time, once all that has happened is sealed and signed, and the signatures are outside the database. */
export async function exportRecord(
  door: Door,
  { from, until, directory, checkpoints }: ExportSettings,
): Promise<ExportedRecord> {
  const { publicKey } = await untilSigned(door)
  const { exportAudit } = await ask<{ exportAudit: { export: { id: string } } }>(door, EXPORT, {
    input: { format: 'JSONL', from, until },
  })
  const { id } = exportAudit.export
  const { parts, firstSequence, lastSequence } = await untilWritten(door, id)
  const contents: string[] = []
  for (let part = 1; part <= parts; part += 1)
    contents.push(
      (await ask<{ auditExport: { content: string } }>(door, PART, { id, part })).auditExport.content,
    )
  const save = (name: string, content: string): string => {
    const file = join(directory, name)
    writeFileSync(file, content)
    return file
  }
  return {
    record: save('record.jsonl', contents.join('')),
    // A line that is only being written has no end yet.
    checkpoints: save('checkpoints.jsonl', readTextFile(checkpoints).replace(/[^\n]*$/, '')),
    key: save('key.pem', publicKey),
    from: firstSequence,
    to: lastSequence,
  }
}

/** Waits until what happened before the call is in the chain, and covered by a checkpoint that is outside. */
async function untilSigned(door: Door): Promise<Chain> {
  const began = performance.now()
  let through: number | undefined
  return poll('signature under the record', async () => {
    const asked = performance.now()
    const { auditChain } = await ask<{ auditChain: Chain }>(door, CHAIN)
    // What is not sealed yet happened after we began to wait.
    if (auditChain.lag * 1_000 <= asked - began) through ??= auditChain.sealedThrough
    const { lastSequence = 0, publishedAt = null } = auditChain.lastCheckpoint ?? {}
    return through !== undefined && publishedAt !== null && lastSequence >= through ? auditChain : undefined
  })
}

interface Written {
  status: string
  parts: number
  firstSequence: number
  lastSequence: number
}

const untilWritten = (door: Door, id: string): Promise<Written> =>
  poll('export', async () => {
    const { auditExport } = await ask<{ auditExport: Written }>(door, EXPORTED, { id })
    return auditExport.status === 'COMPLETED' ? auditExport : undefined
  })

async function poll<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > until) throw new Error(`There is no ${what} after ${PATIENCE_MS / 1_000} s.`)
    await pause(LOOK_MS)
  }
}
