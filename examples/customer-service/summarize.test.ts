import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { parseCsv } from '../input/parse-csv.ts'
import type { Outcome } from './outcome.ts'
import { spread, summarize } from './summarize.ts'
import { writeOutcomes } from './write-outcomes.ts'

function outcome(id: string, rest: Partial<Outcome>): Outcome {
  const message = { id, channel: 'chat', customer: 'someone', text: 'Where is it?' }
  return { message, runId: `run-${id}`, ending: 'answered', fresh: true, ...rest }
}

test('percentiles are values that occurred, and nothing gives zeros', () => {
  expect(spread([40, 10, 20, 30])).toEqual({ p50: 20, p95: 40, total: 100 })
  expect(spread([])).toEqual({ p50: 0, p95: 0, total: 0 })
})

test('endings are counted, and a message without a time does not pull the median down', () => {
  const summary = summarize([
    outcome('1', { milliseconds: 8 }),
    outcome('2', { ending: 'escalated', milliseconds: 4, fresh: false }),
    outcome('3', { ending: 'open' }),
  ])
  expect(summary.counts).toEqual({ answered: 1, escalated: 1, failed: 0, open: 1 })
  expect(summary.fresh).toBe(2)
  expect(summary.milliseconds).toEqual({ p50: 4, p95: 8, total: 12 })
})

test('the written rows read back as they were, and no customer’s text becomes a formula', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'tutti-outcomes-')), 'deep', 'rows.csv')
  const first = outcome('1', {})
  first.message.text = '=HYPERLINK("http://x.test")'
  const second = outcome('2', { reason: 'two\nlines, "quoted"' })
  writeOutcomes(file, [first, second])
  const rows = parseCsv(readFileSync(file, 'utf8'), file)
  expect(rows).toHaveLength(3)
  expect(rows[1]?.fields.at(-1)).toBe('\'=HYPERLINK("http://x.test")')
  expect(rows[2]?.fields[10]).toBe('two\nlines, "quoted"')
})
