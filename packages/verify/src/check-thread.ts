import { parentPort } from 'node:worker_threads'
import type { BlockSettings, CheckedBlock } from './check-block.ts'
import { checkBytes } from './verify-blocks.ts'

/** What a thread is told: against what to check, or a block to check. Of each block it answers, in their order. */
export type ToThread = { settings: BlockSettings } | { block: Uint8Array }
export type FromThread = CheckedBlock | null

let settings: BlockSettings = { organizationId: undefined, checkpoints: [] }

parentPort?.on('message', (told: ToThread) => {
  if ('settings' in told) ({ settings } = told)
  else parentPort?.postMessage(checkBytes(told.block, settings) satisfies FromThread)
})
