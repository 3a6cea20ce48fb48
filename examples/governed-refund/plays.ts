import { ask, PlatformError } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { questionOf, waitFor } from './follow-run.ts'
import type { Cast, Person } from './people.ts'
import type { Play } from './read-refunds.ts'

const DECIDE = `mutation DecideApproval($input: DecideApprovalInput!) {
  decideApproval(input: $input) { approval { status } }
}`
const RESUBMIT = `mutation ResubmitApproval($input: ResubmitApprovalInput!) {
  resubmitApproval(input: $input) { approval { status } }
}`
const LEND = `mutation DelegateApprovals($input: DelegateApprovalsInput!) {
  delegateApprovals(input: $input) { delegation { id } }
}`
const TAKE_BACK = `mutation EndDelegation($id: ID!) { endDelegation(input: { id: $id }) { delegation { id } } }`
const FORK = `mutation ForkRun($input: ForkRunInput!) { forkRun(input: $input) { run { id } } }`

const paymentOf = (door: Door, runId: string) =>
  waitFor(door, runId, 'payment', ({ state }) => state.payment ?? undefined)

const AN_HOUR_MS = 60 * 60_000

/** What came of a play besides the run itself. */
export interface Played {
  /** Further runs that were begun. */
  runIds: string[]
  /** Codes of what was refused. */
  refused: string[]
}

/** What people (and an agent) do while a run waits. */
export const PLAY: Record<Play, (cast: Cast, runId: string) => Promise<Played>> = {
  async small() {
    return { runIds: [], refused: [] }
  },

  async delegated({ ada, dan }, runId) {
    const { delegateApprovals } = await ask<{ delegateApprovals: { delegation: { id: string } } }>(
      ada.door,
      LEND,
      {
        input: {
          to: dan.id,
          until: new Date(Date.now() + AN_HOUR_MS).toISOString(),
          actions: ['money.spend'],
          reason: 'At lunch.',
        },
      },
    )
    const { id } = await questionOf(dan.door, runId)
    await decide(dan, { id, decision: 'APPROVE', comment: 'The photo shows it.' })
    // Taken back before it was used, his yes would be void.
    await paymentOf(dan.door, runId)
    await ask(ada.door, TAKE_BACK, { id: delegateApprovals.delegation.id })
    return { runIds: [], refused: [] }
  },

  async large({ ada, cleo }, runId) {
    const { id } = await questionOf(ada.door, runId)
    // Who is asked second does not decide first.
    const refused = await refusalOf(decide(cleo, { id, decision: 'APPROVE' }))
    await decide(ada, { id, decision: 'APPROVE', comment: 'We sent the wrong one.' })
    await decide(cleo, { id, decision: 'APPROVE', comment: 'Booked against returns.' })
    return { runIds: [], refused: [refused] }
  },

  async unanswered({ ines }, runId) {
    await waitFor(ines.door, runId, 'escalation', ({ escalations: [first] }) => first)
    const { id } = await questionOf(ines.door, runId)
    await decide(ines, { id, decision: 'APPROVE', comment: 'The customer stands there.' })
    return { runIds: [], refused: [] }
  },

  async approves_itself({ agent, ben }, runId) {
    const { id } = await questionOf(ben.door, runId)
    const refused = await refusalOf(decide(agent, { id, decision: 'APPROVE', comment: 'It is fine.' }))
    await decide(ben, { id, decision: 'APPROVE' })
    return { runIds: [], refused: [refused] }
  },

  // A yes to 150 dollars is tried for ten times as much, in each way that there is.
  async changed({ olga, ben, ada }, runId) {
    const asked = await questionOf(ben.door, runId)
    await decide(ben, { id: asked.id, decision: 'APPROVE', digest: asked.digest })
    await paymentOf(olga.door, runId)
    const sum = 10 * (asked.arguments.sum ?? 0)
    const changed = { ...asked.arguments, sum }
    const anew = await refusalOf(ask(olga.door, RESUBMIT, { input: { id: asked.id, arguments: changed } }))
    const { forkRun } = await ask<{ forkRun: { run: { id: string } } }>(olga.door, FORK, {
      input: {
        id: runId,
        stepPath: 'pay',
        state: { proposal: { sum } },
        idempotencyKey: `${runId}/changed`,
        reason: 'A zero was missing.',
      },
    })
    const forked = forkRun.run.id
    const { id } = await questionOf(ada.door, forked)
    const digest = await refusalOf(decide(ada, { id, decision: 'APPROVE', digest: asked.digest }))
    await decide(ada, { id, decision: 'REJECT', comment: 'The order was 150 dollars.' })
    return { runIds: [forked], refused: [anew, digest] }
  },
}

const decide = (person: Person, input: object): Promise<object> => ask(person.door, DECIDE, { input })

/** The code with which something is refused; throws when it is not. */
async function refusalOf(attempt: Promise<object>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    if (error instanceof PlatformError) return error.code
    throw error
  }
  throw new Error('What must be refused was not.')
}
