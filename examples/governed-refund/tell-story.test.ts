import { expect, test } from 'vitest'
import type { RefundRun } from './follow-run.ts'
import type { TrailEntry } from './read-trail.ts'
import { tellStory } from './tell-story.ts'

const POLICY = { id: 'p1', name: 'Large', active: { number: 2, writtenBy: 'i', reviewedBy: 'b' } }
const REQUEST = {
  order: 'R-1',
  customer: 'Mia',
  paid: 600,
  complaint: 'Broken.',
  where: 'online',
  play: 'large',
} as const
const NAMES = new Map([
  ['p1', 'Large'],
  ['i', 'Ines'],
  ['b', 'Ben'],
  ['o', 'Olga'],
])

const RUN: RefundRun = {
  id: 'r1',
  status: 'COMPLETED',
  createdAt: '2026-01-01T10:00:00.000Z',
  endedAt: '2026-01-01T10:00:09.000Z',
  state: { proposal: { sum: 600 }, payment: { paid: 600, receipt: 'R-1/1' } },
  error: null,
  tasks: [{ id: 't1', stepPath: 'pay', status: 'COMPLETED', endedAt: null, error: null }],
  approvals: [
    {
      id: 'a1',
      status: 'APPROVED',
      digest: 'd',
      arguments: { sum: 600 },
      reason: 'Step "pay" of workflow "w". The matrix wants it.',
      createdAt: '2026-01-01T10:00:01.000Z',
      stage: 0,
      usedAt: null,
      stages: [{ needed: 1, roles: ['approver'], groups: ['finance'], people: [] }],
      decisions: [
        {
          decision: 'APPROVE',
          stage: 0,
          decidedBy: { id: 'd', name: 'Dan' },
          onBehalfOf: { name: 'Ada' },
          comment: 'Fine.',
          decidedAt: '2026-01-01T10:00:03.000Z',
        },
      ],
    },
  ],
  escalations: [],
}

const entry = (given: Partial<TrailEntry>): TrailEntry => ({
  id: 'e',
  timestamp: '2026-01-01T10:00:04.000Z',
  actorId: 'o',
  actionType: 'denial',
  summary: '',
  details: {},
  outcome: null,
  policyVersion: null,
  authorityVersion: null,
  subject: 'operation/Mutation.decideApproval',
  onBehalfOf: null,
  ...given,
})

test('who asked, who decided, by which rule and what came of it, in order', () => {
  const trail = [
    entry({
      actionType: 'decision',
      subject: 'task/t1',
      outcome: 'allowed',
      authorityVersion: '0',
      policyVersion: 'p1@2',
      onBehalfOf: { id: 'o' },
    }),
    entry({
      timestamp: '2026-01-01T10:00:02.000Z',
      outcome: 'NOT_A_DECIDER',
      details: { reasoning: 'approval/a1' },
    }),
    entry({ outcome: 'FORBIDDEN', details: { reasoning: 'approval/of-another' } }),
  ]
  expect(tellStory({ policy: POLICY, chapters: [{ request: REQUEST, runs: [RUN] }] }, trail, NAMES)).toBe(
    [
      'Policy "Large", version 2: written by Ines, put into force by Ben.',
      '',
      'R-1  Mia paid $600.00: "Broken."',
      '  10:00:00  Mia wants money back; refund_agent proposes $600.00.',
      '  10:00:01  Asked: 1 of approver, group finance. The matrix wants it.',
      '  10:00:02  Refused: decideApproval by Olga, NOT_A_DECIDER.',
      '  10:00:03  Dan for Ada says yes: "Fine."',
      '  10:00:04  Let through by matrix version 0, policy "Large" version 2, for Olga.',
      '  10:00:09  $600.00 paid, receipt R-1/1.',
    ].join('\n'),
  )
})

test('what was not done says why', () => {
  const run: RefundRun = {
    ...RUN,
    status: 'FAILED',
    approvals: [],
    tasks: [
      {
        id: 't1',
        stepPath: 'pay',
        status: 'FAILED',
        endedAt: null,
        error: { code: 'ACTION_DENIED', message: 'No.' },
      },
    ],
  }
  const trail = [
    entry({
      subject: 'task/t1',
      outcome: 'denied',
      authorityVersion: '3',
      details: { reasoning: 'Forbidden.' },
    }),
  ]
  const told = tellStory({ policy: POLICY, chapters: [{ request: REQUEST, runs: [run] }] }, trail, NAMES)
  expect(told).toContain('Not done (denied) by matrix version 3. Forbidden.')
  expect(told).toContain('Nothing paid: ACTION_DENIED, No.')
})
