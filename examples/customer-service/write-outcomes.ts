import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { Outcome } from './outcome.ts'

function cell(value: string | number | undefined): string {
  const text = String(value ?? '')
  // A spreadsheet runs a cell that begins like a formula, and these texts come from strangers.
  const harmless = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Writes one CSV row per message; creates the directory when it is missing. */
export function writeOutcomes(file: string, outcomes: readonly Outcome[]): void {
  const rows = outcomes.map((outcome) =>
    [
      outcome.message.id,
      outcome.message.channel,
      outcome.message.customer,
      outcome.ending,
      outcome.intent,
      outcome.confidence,
      outcome.milliseconds,
      outcome.cost,
      outcome.runId,
      outcome.approvalId,
      outcome.reason,
      outcome.message.text,
    ]
      .map(cell)
      .join(','),
  )
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    `id,channel,customer,ending,intent,confidence,milliseconds,cost_usd,run_id,approval_id,reason,text\n${rows.join('\n')}\n`,
  )
}
