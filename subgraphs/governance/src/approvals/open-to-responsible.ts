import type { SqlTransaction } from '@tutti/prisma'
import { behind } from '../access/behind.ts'
import type { Responsible } from '../escalations/escalation-level.ts'
import type { EscalationRow } from '../escalations/escalation-row.ts'
import type { ApprovalRow } from './approval-row.ts'
import type { ApprovalStage } from './approval-stage.ts'
import { type Authority, conflictOf, isOpen, namesAuthority, wantsChanges } from './approval-status.ts'
import { readOwn } from './read-standing.ts'
import { withoutGiven } from './without-given.ts'

type Named = Pick<ApprovalStage, 'roles' | 'groups' | 'people'>

/** What somebody may decide from now on, as it is recorded. */
export interface Opened {
  approvalId: string
  /** The stage's name. */
  stage: string
}

/**
 * Lets whoever is responsible for an escalation decide the present stage of the approval that it waits for, both locked,
 * besides those whom the stage names; how many have to say yes stays, and who asked or wrote it decides nothing. The
 * platform does so at a missed deadline. By hand nobody passes on a right that they do not have: that takes who may decide
 * it, or who says who is in groups (`access:manage`), for others than themselves, of what they neither asked for nor wrote.
 * Output: what was opened; null: nothing. Events: approval.escalated. The caller writes the record.
 */
export async function openToResponsible(
  tx: SqlTransaction,
  approval: ApprovalRow | null,
  escalation: Pick<EscalationRow, 'id' | 'responsible' | 'assignedTo'>,
): Promise<Opened | null> {
  if (!approval || !isOpen(approval)) return null
  // Who asks anew begins with the first.
  const index = wantsChanges(approval) ? 0 : approval.stage
  const stage = approval.stages[index]
  if (!stage) return null
  const named = namesOf(approval, escalation)
  const wider = { ...stage, ...union(stage, named) }
  const isWider = KINDS.some((kind) => wider[kind].length > stage[kind].length)
  if (!isWider || !(await mayOpen(tx, approval, stage, named))) return null
  const { id, runId, taskId } = approval
  await tx.sql(
    `update approval set stages = jsonb_set(stages, array[$3::text], $4::jsonb)
     where organization_id = $1::uuid and id = $2::uuid returning id`,
    tx.actor.organizationId,
    id,
    String(index),
    JSON.stringify(wider),
  )
  await tx.appendEvent({
    type: 'approval.escalated',
    subject: `approval/${id}`,
    data: { approvalId: id, runId, taskId, stage: index, escalationId: escalation.id },
  })
  return { approvalId: id, stage: stage.name }
}

const KINDS = ['roles', 'groups', 'people'] as const
const NOBODY: Named = { roles: [], groups: [], people: [] }

const union = (one: Named, other: Named): Named => ({
  roles: [...new Set([...one.roles, ...other.roles])],
  groups: [...new Set([...one.groups, ...other.groups])],
  people: [...new Set([...one.people, ...other.people])],
})

/** The person who has it, or all of its role or group where nobody has it alone. */
function namesOf(
  approval: ApprovalRow,
  { responsible, assignedTo }: Pick<EscalationRow, 'responsible' | 'assignedTo'>,
): Named {
  if (assignedTo)
    return conflictOf(approval, { id: assignedTo.id, kind: 'person' }) === null
      ? { ...NOBODY, people: [assignedTo.id] }
      : NOBODY
  const of = (kind: Responsible['kind']): string[] => (responsible?.kind === kind ? [responsible.name] : [])
  return { ...NOBODY, roles: of('role'), groups: of('group') }
}

async function mayOpen(
  tx: SqlTransaction,
  approval: ApprovalRow,
  stage: ApprovalStage,
  named: Named,
): Promise<boolean> {
  const { actor } = tx
  if (actor.kind === 'system') return true
  if (conflictOf(approval, actor) !== null) return false
  const own = await readOwn((text, parameters) => tx.sql(text, ...parameters), actor)
  if (actor.scopes.includes('approvals:decide') && namesAuthority(stage, withoutGiven(approval, own)))
    return true
  const isTheirs = (authority: Authority): boolean =>
    namesAuthority({ ...stage, ...named, teamIds: [] }, authority)
  return actor.scopes.includes('access:manage') && !behind(actor).some((id) => isTheirs({ ...own, id }))
}
