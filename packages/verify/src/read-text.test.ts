import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { readText } from './read-text.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const ID = '01990000-0000-7000-8000-000000000001'
const PREVIOUS = '0'.repeat(64)

/** A line of `audit.recorded`, as an export writes it. */
function lineOf(details: unknown, summary: string, more: object = {}, isStated = false): string {
  const salt = sha256(summary).slice(0, 32)
  const text = sha256(`${salt}${canonicalJson({ details, summary })}`)
  const columns = {
    actionType: 'decision',
    actorId: ID,
    actorKind: 'person',
    agentId: null,
    authorityVersion: '3',
    classification: 'internal',
    domain: 'governance',
    id: ID,
    onBehalfOf: { id: ID, kind: 'person' },
    outcome: null,
    policyVersion: null,
    relatedTasks: [ID],
    significance: 'significant',
    subject: 'approval/1',
    timestamp: '2026-01-01T00:00:00.000Z',
    ...more,
  }
  const event = {
    actor: { id: ID, kind: 'person' },
    data: { actionType: 'decision', digest: sha256(canonicalJson({ ...columns, text })), entryId: ID },
    id: ID,
    organizationId: ID,
    seq: '17',
    subject: 'audit/1',
    time: '2026-01-01T00:00:00.000Z',
    type: 'audit.recorded',
  }
  const { actor, data, ...rest } = event
  const saltOfEvent = sha256(salt).slice(0, 32)
  const content = sha256(`${saltOfEvent}${canonicalJson({ actor, data })}`)
  const hash = sha256(`${PREVIOUS}5${canonicalJson({ ...rest, content })}`)
  const entry = { ...columns, details, summary, salt, ...(isStated ? { text } : {}) }
  return canonicalJson({ ...event, salt: saltOfEvent, sequence: 5, hash, entry })
}

const kept = { keyIds: [ID], kept: { details: { summary: 'y' }, salt: 'z', significance: 's' } }
const DETAILS = { amount: 0.5, domain: 'a', salt: 'b', summary: 'c "d"', nested: [{ domain: 'e' }] }
const LINES = [
  lineOf(DETAILS, 'Refunded 5 EUR'),
  lineOf(DETAILS, 'It said "no", \\ and \u{1f3b5}\n', kept, true),
  lineOf({}, '', { relatedTasks: [], agentId: ID }),
]

test('a line as it was exported is read', () => {
  for (const line of LINES) expect(readText(line, PREVIOUS)).toMatchObject({ sequence: 5, seq: '17' })
})

test('any other text is not, whatever is put in, left out, said twice or moved in it', () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.constantFrom(...LINES), place, place, place, fc.string(), (line, a, b, c, text) => {
      // At the borders of what JSON is made of, where a change may go unseen.
      const borders = [...line.matchAll(/(?=[",:{}[\]])/g)].map(({ index }) => index)
      const at = (where: number): number => borders[Math.floor(where * (borders.length - 1))] ?? 0
      const [from = 0, to = 0] = [at(a), at(b)].sort((x, y) => x - y)
      const piece = line.slice(from, to)
      const without = line.slice(0, from) + line.slice(to)
      const there = Math.min(at(c), without.length)
      const others = [
        line.slice(0, from) + text + line.slice(from),
        line.slice(0, from) + text + line.slice(to),
        line.slice(0, to) + piece + line.slice(to),
        without.slice(0, there) + piece + without.slice(there),
        `${line.slice(0, from)} ${line.slice(from)}`,
      ]
      for (const other of others) if (other !== line) expect(readText(other, PREVIOUS)).toBeNull()
    }),
    { numRuns: 500 },
  )
})

test('what belongs elsewhere is not read there', () => {
  const [line = ''] = LINES
  const salt = /,"salt":"[0-9a-f]{32}"(?=,"significance")/.exec(line)?.[0] ?? ''
  const details = `,"details":${canonicalJson(DETAILS)}`
  const summary = ',"summary":"Refunded 5 EUR"'
  for (const part of [salt, details, summary]) {
    expect(line.split(part)).toHaveLength(2)
    const without = line.replace(part, '')
    for (const before of ['"domain":"governance"', '"kind":"person"}', '"onBehalfOf"', '"significance"']) {
      const found = without.lastIndexOf(`,${before}`)
      const moved = without.slice(0, found) + part + without.slice(found)
      if (moved !== line) expect(readText(moved, PREVIOUS)).toBeNull()
    }
    const forged = line.replace(part, `${part}${part}`)
    expect(readText(forged, PREVIOUS)).toBeNull()
  }
})
