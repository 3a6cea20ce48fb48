import type { PolicyInForce } from './enforce-policy.ts'
import type { RefundRun } from './follow-run.ts'
import type { TrailEntry } from './read-trail.ts'
import type { RefundRequest } from './read-refunds.ts'

/** A refund with all runs in which it was tried, the first one first. */
export interface Chapter {
  request: RefundRequest
  runs: readonly RefundRun[]
}

interface Moment {
  at: string
  text: string
}

/** Names by id, of whoever has a part. */
export type Names = ReadonlyMap<string, string>

/** What happened, refund by refund: who asked for what, who decided, by which rule, and what came of it. */
export function tellStory(
  { policy, chapters }: { policy: PolicyInForce; chapters: readonly Chapter[] },
  trail: readonly TrailEntry[],
  names: Names,
): string {
  return [tellPolicy(policy, names), ...chapters.map((chapter) => tellChapter(chapter, trail, names))].join(
    '\n\n',
  )
}

function tellPolicy({ name, active }: PolicyInForce, names: Names): string {
  const { number, writtenBy, reviewedBy } = active ?? { number: 0, writtenBy: '', reviewedBy: null }
  const reviewer = reviewedBy === null ? 'nobody' : nameOf(reviewedBy, names)
  return `Policy "${name}", version ${number}: written by ${nameOf(writtenBy, names)}, put into force by ${reviewer}.`
}

function tellChapter({ request, runs }: Chapter, trail: readonly TrailEntry[], names: Names): string {
  const { order, customer, complaint, paid } = request
  const moments = runs.flatMap((run, number) => [
    {
      at: run.createdAt,
      text:
        number === 0
          ? `${customer} wants money back; refund_agent proposes ${dollars(run.state.proposal?.sum)}.`
          : `It is tried again with another sum: ${dollars(run.state.proposal?.sum)}.`,
    },
    ...run.approvals.flatMap(momentsOfApproval),
    ...run.escalations.map(({ openedAt, level }) => ({
      at: openedAt,
      text: `Nobody decided in time: it goes up to level ${level}, and administrators may decide as well.`,
    })),
    ...trail.flatMap((entry) => momentOfEntry(entry, run, names)),
    ...momentsOfEnd(run),
  ])
  const title = `${order}  ${customer} paid ${dollars(paid)}: "${complaint}"`
  return [title, ...inOrder(moments).map(({ at, text }) => `  ${at.slice(11, 19)}  ${text}`)].join('\n')
}

const inOrder = (moments: readonly Moment[]): Moment[] =>
  moments.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))

function momentsOfApproval(approval: RefundRun['approvals'][number]): Moment[] {
  const { createdAt, reason, stages, decisions } = approval
  return [
    {
      at: createdAt,
      text: `Asked: ${stages.map(whoOf).join(', then ')}. ${reason.replace(/^Step .*?"\. /, '')}`,
    },
    ...decisions.map(({ decidedAt, decidedBy, onBehalfOf, decision, comment }) => ({
      at: decidedAt,
      text: [
        decidedBy.name,
        onBehalfOf ? ` for ${onBehalfOf.name}` : '',
        decision === 'APPROVE' ? ' says yes' : decision === 'REJECT' ? ' says no' : ' wants changes',
        comment === null ? '.' : `: "${comment}"`,
      ].join(''),
    })),
  ]
}

const whoOf = ({ needed, roles, groups, people }: RefundRun['approvals'][number]['stages'][number]): string =>
  `${needed} of ${[...roles, ...groups.map((group) => `group ${group}`), ...people].join(', ')}`

/** What the audit trail says of a run: which rule let it through or stopped it, and who was refused. */
function momentOfEntry(entry: TrailEntry, run: RefundRun, names: Names): Moment[] {
  const { timestamp: at, subject, actorId, outcome, details } = entry
  const reasoning = details.reasoning ?? ''
  if (run.tasks.some(({ id }) => subject === `task/${id}`)) {
    const rules = [
      `matrix version ${entry.authorityVersion ?? '?'}`,
      ...(entry.policyVersion ? [`policy ${namePolicies(entry.policyVersion, names)}`] : []),
    ].join(', ')
    const forWhom = entry.onBehalfOf ? `, for ${nameOf(entry.onBehalfOf.id, names)}` : ''
    const verb = outcome === 'allowed' ? 'Let through' : `Not done (${outcome ?? 'denied'})`
    // Of what people were asked, the question has said why.
    const why = run.approvals.length === 0 ? ` ${reasoning}` : ''
    return [{ at, text: `${verb} by ${rules}${forWhom}.${why}` }]
  }
  const approval = run.approvals.find(({ id }) => reasoning.includes(`approval/${id}`))
  if (entry.actionType !== 'denial' || !approval) return []
  const what = subject.replace('operation/Mutation.', '')
  const why = reasoning.replace(`approval/${approval.id}`, '').replace(/^: /, '')
  return [
    {
      at,
      text: `Refused: ${what} by ${nameOf(actorId, names)}, ${outcome ?? ''}${why === '' ? '' : ` (${why})`}.`,
    },
  ]
}

const nameOf = (id: string, names: Names): string => names.get(id) ?? id

const namePolicies = (versions: string, names: Names): string =>
  versions
    .split(', ')
    .map((each) => {
      const [id = '', version = ''] = each.split('@')
      return `"${nameOf(id, names)}" version ${version}`
    })
    .join(', ')

function momentsOfEnd({ endedAt, status, state, tasks }: RefundRun): Moment[] {
  if (endedAt === null) return []
  const { paid, receipt } = state.payment ?? {}
  if (status === 'COMPLETED')
    return [{ at: endedAt, text: `${dollars(paid)} paid, receipt ${receipt ?? 'none'}.` }]
  const failure = tasks.find(({ error }) => error)?.error
  return [{ at: endedAt, text: `Nothing paid: ${failure?.code ?? status}, ${failure?.message ?? ''}` }]
}

const dollars = (sum: number | undefined): string =>
  sum === undefined ? 'an unknown sum' : `$${sum.toFixed(2)}`
