import type { Actor } from '@tutti/schema'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { colleague, openWorld, type World } from '../testing/open-world.ts'

let world: World

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const PEOPLE = 20
const APPROVALS = 50
const DECISIONS = 200
const person = fc.nat(PEOPLE - 1)

/** A plan of what happens at once. */
const plan = fc.record({
  approvals: fc.array(
    fc.record({
      requester: person,
      author: fc.option(person, { nil: undefined }),
      risk: fc.constantFrom('LOW', 'HIGH'),
      stages: fc.array(
        fc.record({
          needed: fc.integer({ min: 1, max: 3 }),
          roles: fc.constantFrom([], ['admin'], ['approver']),
          people: fc.uniqueArray(person, { minLength: 3, maxLength: 10 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: APPROVALS, maxLength: APPROVALS },
  ),
  delegations: fc.array(fc.record({ from: person, to: person }), { minLength: 12, maxLength: 12 }),
  decisions: fc.array(
    fc.record({
      // A few approvals get most of the clicks.
      approval: fc.oneof({ weight: 2, arbitrary: fc.nat(9) }, fc.nat(APPROVALS - 1)),
      by: person,
      decision: fc.oneof(
        { weight: 8, arbitrary: fc.constant('APPROVE') },
        fc.constantFrom('REJECT', 'REQUEST_CHANGES'),
      ),
      onBehalfOf: fc.option(person, { nil: undefined, freq: 5 }),
    }),
    { minLength: DECISIONS, maxLength: DECISIONS },
  ),
})

const REQUEST = `mutation ($input: RequestApprovalInput!) { requestApproval(input: $input) { approval { id } } }`
const DECIDE = `mutation ($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }`
const DELEGATE = `mutation ($input: DelegateApprovalsInput!) { delegateApprovals(input: $input) { delegation { id } } }`
const APPROVALS_OF = `query ($after: String) { approvals(first: 100, after: $after) { nodes { id status stage round
  requestedBy { id } authors decidedBy { id } stages { needed given roles people }
  decisions { decision round stage decidedBy { id } onBehalfOf { id } } } } }`
const INBOX = '{ approvalInbox(first: 100) { nodes { id } } }'

interface Decision {
  decision: string
  round: number
  stage: number
  decidedBy: { id: string }
  onBehalfOf: { id: string } | null
}
interface Approval {
  id: string
  status: string
  stage: number
  round: number
  requestedBy: { id: string }
  authors: string[]
  decidedBy: { id: string } | null
  stages: { needed: number; given: number; roles: string[]; people: string[] }[]
  decisions: Decision[]
}

const END = { APPROVE: 'APPROVED', REJECT: 'REJECTED', REQUEST_CHANGES: 'CHANGES_REQUESTED' } as const
const isEnd = (decision: string): decision is keyof typeof END => decision in END

test('200 decisions at once by 20 people on 50 approvals: whatever the interleaving, all holds', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ approvals, delegations, decisions }) => {
      const admin = await world.organization()
      const people = Array.from({ length: PEOPLE }, (_, index) =>
        colleague(admin, index % 4 === 0 ? 'admin' : 'approver', `person-${index}`),
      )
      const at = (index: number): Actor => people[index] ?? admin
      const say = async (by: Actor, query: string, input: object) =>
        (await world.ask(by, query, { input })).code
      const lent = delegations.filter(({ from, to }) => from !== to)
      for (const { from, to } of lent) {
        const until = new Date(Date.now() + 86_400_000).toISOString()
        expect(await say(at(from), DELEGATE, { to: at(to).id, until })).toBeNull()
      }
      const ids: string[] = []
      for (const [index, { requester, author, risk, stages }] of approvals.entries()) {
        const { data } = await world.ask({ ...at(requester), scopes: admin.scopes }, REQUEST, {
          input: {
            title: `approval ${index}`,
            action: 'act',
            arguments: { index },
            reason: 'r',
            idempotencyKey: `key-${index}`,
            risk,
            authors: author === undefined ? [] : [at(author).id],
            stages: stages.map(({ needed, roles, people: named }) => ({
              needed,
              roles,
              people: named.map((each) => at(each).id),
            })),
          },
        })
        ids.push(String((data['requestApproval']?.['approval'] as { id: string } | undefined)?.id))
      }

      const codes = await Promise.all(
        decisions.map(({ approval, by, decision, onBehalfOf }) =>
          say(at(by), DECIDE, {
            id: ids[approval],
            decision,
            ...(decision === 'REQUEST_CHANGES' ? { comment: 'other' } : {}),
            ...(onBehalfOf === undefined ? {} : { onBehalfOf: at(onBehalfOf).id }),
          }),
        ),
      )
      const known = [null, 'SEPARATION_OF_DUTIES', 'NOT_A_DECIDER', 'ALREADY_DECIDED', 'INVALID_STATE']
      expect(codes.filter((code) => !known.includes(code))).toEqual([])

      const { data } = await world.ask(admin, APPROVALS_OF)
      const rows: Approval[] = JSON.parse(JSON.stringify(data['approvals']?.['nodes']))
      expect(rows.map(({ id }) => id)).toEqual(ids)
      for (const row of rows)
        holds(
          row,
          lent.map(({ from, to }) => `${at(from).id} ${at(to).id}`),
        )
      await eventsAgree(admin, rows)
      await inboxesAgree(people, rows)
    }),
    { numRuns: 3 },
  )
}, 120_000)

/** What is true of an approval however it was decided. */
function holds(
  { status, stage, stages, decisions, requestedBy, authors, decidedBy }: Approval,
  lent: string[],
) {
  const involved = decisions.flatMap(({ decidedBy: by, onBehalfOf }) => [
    by.id,
    ...(onBehalfOf ? [onBehalfOf.id] : []),
  ])
  expect(new Set(involved).size).toBe(involved.length)
  for (const id of [requestedBy.id, ...authors]) expect(involved).not.toContain(id)
  for (const { decidedBy: by, onBehalfOf, stage: of } of decisions) {
    const right = onBehalfOf?.id ?? by.id
    const isAdmin = Number(right.slice('person-'.length)) % 4 === 0
    expect(
      stages[of]?.people.includes(right) || stages[of]?.roles.includes(isAdmin ? 'admin' : 'approver'),
    ).toBe(true)
    if (onBehalfOf) expect(lent).toContain(`${onBehalfOf.id} ${by.id}`)
  }
  const yes = decisions.filter(({ decision }) => decision === 'APPROVE')
  const given = stages.map((_, index) => yes.filter((each) => each.stage === index).length)
  expect(stages.map((each) => each.given)).toEqual(given)
  // Stages before the present one are complete, those after it untouched, and nothing was decided after the end.
  for (const [index, { needed }] of stages.entries()) {
    if (index < stage || status === 'APPROVED') expect(given[index]).toBe(needed)
    else expect(given[index]).toBeLessThan(index === stage ? needed : 1)
  }
  const now = stages[stage]
  if (now && status === 'PENDING' && now.roles.length === 0) {
    const cannot = [requestedBy.id, ...authors, ...involved]
    const able = now.people.filter((each) => !cannot.includes(each))
    expect(able.length).toBeGreaterThanOrEqual(now.needed - now.given)
  }
  const ends = decisions.filter(({ decision }) => decision !== 'APPROVE')
  expect(ends.length).toBeLessThanOrEqual(1)
  const last = decisions.at(-1)
  if (status === 'PENDING') expect([ends, decidedBy]).toEqual([[], null])
  else if (last && isEnd(last.decision)) {
    expect(END[last.decision]).toBe(status)
    if (status !== 'CHANGES_REQUESTED') expect(decidedBy?.id).toBe(last.decidedBy.id)
  } else expect(last).toBeDefined()
}

/** Each decision has one event, in its order, and nothing else was told. */
async function eventsAgree(admin: Actor, rows: Approval[]): Promise<void> {
  const told = (await world.events(admin)).filter(({ type }) =>
    ['approval.endorsed', 'approval.changes_requested', 'approval.decided'].includes(type),
  )
  for (const { id, status, decisions } of rows) {
    const events = told.filter(({ data }) => data['approvalId'] === id)
    expect(events.map(({ data }) => [data['decidedBy'], data['onBehalfOf'] ?? null])).toEqual(
      decisions.map(({ decidedBy, onBehalfOf }) => [decidedBy.id, onBehalfOf?.id ?? null]),
    )
    const ended = events.filter(({ type }) => type === 'approval.decided').map(({ data }) => data['decision'])
    expect(ended).toEqual(['APPROVED', 'REJECTED'].includes(status) ? [status.toLowerCase()] : [])
  }
}

/** What is in somebody's inbox they can decide, and what is not they cannot. */
async function inboxesAgree(people: Actor[], rows: Approval[]): Promise<void> {
  // Each looks and then clicks on one thing, so that the clicks of those before are seen.
  for (const by of people) {
    const { data } = await world.ask(by, INBOX)
    const page: { nodes: { id: string }[] } = JSON.parse(JSON.stringify(data['approvalInbox']))
    const waiting = new Set(page.nodes.map(({ id }) => id))
    const took = (row: Approval): boolean => row.decisions.some(({ decidedBy }) => decidedBy.id === by.id)
    const [inside, outside] = [
      rows.find(({ id }) => waiting.has(id)),
      rows.find((row) => !waiting.has(row.id) && !took(row)),
    ]
    const click = (row: Approval) => world.ask(by, DECIDE, { input: { id: row.id, decision: 'APPROVE' } })
    if (outside) expect((await click(outside)).code).not.toBeNull()
    if (inside) expect((await click(inside)).code).toBeNull()
  }
}
