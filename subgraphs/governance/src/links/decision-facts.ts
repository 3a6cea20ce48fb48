import type { ApprovalRow } from '../approvals/approval-row.ts'
import type { DecisionRow } from '../approvals/decision-row.ts'
import { stagesOf } from '../approvals/stages-of.ts'
import type { EscalationRow } from '../escalations/escalation-row.ts'
import { type Difference, differencesOf } from './differences-of.ts'
import { escaped } from './html.ts'
import type { Waiting } from './read-subject.ts'

/** What is asked, as terms and descriptions in HTML: all that a decider can read of the approval elsewhere. */
export function factsOfApproval({ approval, decisions }: Extract<Waiting, { kind: 'approval' }>): string[] {
  const {
    action,
    arguments: given,
    preview,
    risk,
    costUsd,
    digest,
    requestedBy,
    reason,
    expiresAt,
  } = approval
  return [
    fact('Action', action),
    json('Arguments', given),
    ...sinceLastRound(approval, decisions),
    ...(preview === null ? [] : [previewOf(preview)]),
    fact('Risk', risk),
    ...(costUsd === null ? [] : [fact('Cost in US dollars', String(costUsd))]),
    fact('Asked by', requestedBy.name),
    fact('Why', reason),
    fact('Stage', stageOf(approval, decisions)),
    ...saidBefore(decisions),
    ...(expiresAt === null ? [] : [deadline('To be decided until', expiresAt)]),
    fact('Digest of action and arguments', digest),
  ]
}

/** Likewise of an escalation. */
export function factsOfEscalation({ level, reason, openedBy, acknowledgeBy }: EscalationRow): string[] {
  return [
    fact('Level', level),
    fact('Escalated by', openedBy.name),
    fact('Why', reason),
    ...(acknowledgeBy === null ? [] : [deadline('To be taken on until', acknowledgeBy)]),
  ]
}

/** What is another than when changes were asked for the last time. */
function sinceLastRound({ arguments: now, round }: ApprovalRow, decisions: readonly DecisionRow[]): string[] {
  const back = decisions.find(
    (each) => each.round === round - 1 && each.verdict === 'changes_requested' && each.asked !== null,
  )
  if (!back) return []
  const changes = differencesOf(back.asked, now)
  return [
    changes.length === 0
      ? fact('Changed since', 'Nothing: the same is asked again.')
      : table('Changed since', changes),
  ]
}

/** As a table of before and after where it says so, else as it is. */
function previewOf(preview: unknown): string {
  const name = 'What would come of it'
  if (isBeforeAndAfter(preview)) return table(name, differencesOf(preview.before, preview.after))
  if (typeof preview === 'object' && preview !== null) {
    const each = Object.entries(preview)
    if (each.length > 0 && each.every(([, value]) => isBeforeAndAfter(value)))
      return table(
        name,
        each.map(([path, { before, after }]) => ({ path, before, after })),
      )
  }
  return json(name, preview)
}

const isBeforeAndAfter = (value: unknown): value is { before: unknown; after: unknown } =>
  typeof value === 'object' && value !== null && Object.keys(value).sort().join(' ') === 'after before'

function stageOf(approval: ApprovalRow, decisions: readonly DecisionRow[]): string {
  const stages = stagesOf(approval, decisions)
  const stage = stages[approval.stage]
  return `${stage?.name ?? ''} (${approval.stage + 1} of ${stages.length}): ${stage?.given ?? 0} of ${stage?.needed ?? 1} said yes`
}

const VERDICTS = { approved: 'yes', rejected: 'no', changes_requested: 'changes wanted' } as const

function saidBefore(decisions: readonly DecisionRow[]): string[] {
  if (decisions.length === 0) return []
  const said = decisions.map(
    ({ decidedBy, verdict, comment }) =>
      `${decidedBy.name}: ${VERDICTS[verdict]}${comment === null ? '' : `. ${comment}`}`,
  )
  return [fact('Said so far', said.join('\n'))]
}

const fact = (name: string, value: string): string => `<dt>${name}</dt><dd>${escaped(value)}</dd>`

const deadline = (name: string, at: Date): string =>
  `<dt>${name}</dt><dd><time datetime="${at.toISOString()}">${at.toISOString()}</time></dd>`

const text = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2)

const json = (name: string, value: unknown): string =>
  `<dt>${name}</dt><dd><pre>${escaped(text(value))}</pre></dd>`

const table = (name: string, differences: readonly Difference[]): string =>
  `<dt>${name}</dt><dd><table><tr><th scope="col">What</th><th scope="col">Before</th><th scope="col">After</th></tr>${differences
    .map(
      ({ path, before, after }) =>
        `<tr><th scope="row">${escaped(path)}</th><td>${escaped(text(before))}</td><td>${escaped(text(after))}</td></tr>`,
    )
    .join('')}</table></dd>`
