import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePolicies, type PolicySource } from './compile-policies.ts'
import { decidePolicies } from './decide-policies.ts'
import { holdsAt, succeed } from './version-dates.ts'

const START = new Date('2026-11-22T12:00:00Z').getTime()
const HOUR = 3_600_000
const at = (hours: number) => new Date(START + hours * HOUR)
const END = 60

/** A version as it was written, and how many hours after the one before it was approved. */
const written = fc.record({
  after: fc.integer({ min: 0, max: 10 }),
  from: fc.option(fc.integer({ min: -5, max: END }), { nil: null }),
  lasts: fc.option(fc.integer({ min: 1, max: 40 }), { nil: null }),
})

interface Approved {
  source: PolicySource
  /** Hours. */
  from: number
  until: number
}

const sourceOf = (version: number, activated: number, from: number | null, until: number): PolicySource => ({
  policyId: 'p',
  versionId: `v${version}`,
  name: 'p',
  version,
  status: 'active',
  actions: ['*'],
  condition: null,
  effect: 'deny',
  stages: [],
  escalateTo: null,
  redact: [],
  priority: 0,
  activatedAt: at(activated),
  effectiveFrom: from === null ? null : at(from),
  effectiveUntil: Number.isFinite(until) ? at(until) : null,
  endedAt: null,
})

/** By the dates alone: the newest version whose time has come, as long as it lasts. */
function inForce(versions: readonly Approved[], moment: number): number | undefined {
  const last = versions.findLast(({ from }) => from <= moment)
  return last && moment < last.until ? last.source.version : undefined
}

const decidedBy = (sources: readonly PolicySource[], moment: number): (number | undefined)[] =>
  decidePolicies(compilePolicies(sources), {
    actor: { id: 'ada', kind: 'person', name: 'Ada', roles: [], levels: [], agentId: null },
    action: 'money.spend',
    resource: { type: null, id: null, name: null, domain: null, team: null, owner: null, attributes: {} },
    context: { arguments: {}, amount: null, risk: null, classification: null, time: at(moment) },
  }).matched.map(({ version }) => version)

test('at every moment the version is in force that the dates say, and no other', () => {
  fc.assert(
    fc.property(fc.array(written, { minLength: 1, maxLength: 6 }), (list) => {
      const approved: Approved[] = []
      let sources: PolicySource[] = []
      let now = 0
      for (const [place, { after, from, lasts }] of list.entries()) {
        now += after
        const begin = Math.max(now, from ?? now)
        const until = lasts === null ? Number.POSITIVE_INFINITY : begin + lasts
        const source = sourceOf(place + 1, now, from, until)
        sources = succeed(
          sources.filter(({ status }) => status === 'active'),
          source,
          at(now),
        ).map(({ version, isRetired, endedAt }) => ({
          ...version,
          status: isRetired ? 'retired' : 'active',
          endedAt,
        }))
        sources.push(source)
        approved.push({ source, from: begin, until })
        for (let moment = now; moment <= END + 10; moment += 1) {
          const expected = inForce(approved, moment)
          expect(decidedBy(sources, moment)).toEqual(expected === undefined ? [] : [expected])
          const holding = sources.filter((each) => each.status === 'active' && holdsAt(each, +at(moment)))
          expect(holding.map(({ version }) => version)).toEqual(expected === undefined ? [] : [expected])
        }
      }
    }),
  )
})
