import type { Comparison } from './compare-with-expected.ts'
import type { Outcome } from './outcome.ts'
import { summarize } from './summarize.ts'

const SHOWN = 10
const TEXT_WIDTH = 60

function oneLine(text: string, width = TEXT_WIDTH): string {
  const flat = text.replaceAll(/\p{C}|\s+/gu, ' ').trim()
  return flat.length > width ? `${flat.slice(0, width - 1)}…` : flat
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('   ')}`.trimEnd())
}

function listed(title: string, outcomes: readonly Outcome[]): string[] {
  if (outcomes.length === 0) return []
  const rows = outcomes
    .slice(0, SHOWN)
    .map(({ message, intent, confidence, reason }) => [
      message.id,
      intent ?? '',
      confidence?.toFixed(2) ?? '',
      oneLine(message.text) || '(empty)',
      oneLine(reason ?? '', 50),
    ])
  const rest = outcomes.length - rows.length
  return ['', title, ...columns(rows), ...(rest > 0 ? [`  … and ${rest} more`] : [])]
}

const milliseconds = (value: number) =>
  value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`
const dollars = (value: number) => (value === 0 ? '$0' : `$${value.toFixed(value < 0.01 ? 6 : 4)}`)

/** The result as text for a terminal: the table, the escalated and failed messages, and where to go on. */
export function describeResult(
  outcomes: readonly Outcome[],
  at: { seconds: number; url: string; file: string; comparison?: Comparison | undefined },
): string {
  const { counts, fresh, milliseconds: time, cost } = summarize(outcomes)
  const escalated = outcomes.filter((outcome) => outcome.ending === 'escalated')
  const share = (count: number) => `${((100 * count) / Math.max(1, outcomes.length)).toFixed(1)} %`
  const lines = [
    '',
    ...columns([
      ['answered', String(counts.answered), share(counts.answered)],
      ['escalated', String(counts.escalated), share(counts.escalated)],
      ['failed', String(counts.failed), share(counts.failed)],
      ...(counts.open > 0 ? [['not finished', String(counts.open), share(counts.open)]] : []),
    ]),
    '',
    ...columns([
      ['', 'p50', 'p95', 'total'],
      ['time a message', milliseconds(time.p50), milliseconds(time.p95), milliseconds(time.total)],
      ['cost a message', dollars(cost.p50), dollars(cost.p95), dollars(cost.total)],
    ]),
    '',
    `  ${outcomes.length} messages in ${at.seconds.toFixed(1)} s; ${fresh} started now, ${outcomes.length - fresh} known from before.`,
  ]
  if (at.comparison) {
    const { agreed, judged, wronglyAnswered, wronglyEscalated } = at.comparison
    lines.push(
      `  ${agreed} of ${judged} ended where expected.csv says; ${wronglyAnswered.length} were answered though a person should have, ${wronglyEscalated.length} escalated though answerable.`,
    )
    lines.push(...listed('Answered though a person should have:', wronglyAnswered))
  }
  lines.push(
    ...listed(
      'Failed:',
      outcomes.filter((outcome) => outcome.ending === 'failed'),
    ),
  )
  lines.push(...listed('With a person (id, intent, confidence, message, reason):', escalated))
  if (escalated.length > 0)
    lines.push('', `Decide them in GraphiQL, tab "DecideAnEscalation" (an approver's key):  ${at.url}`)
  lines.push(`All rows:  ${at.file}`, '')
  return lines.join('\n')
}
