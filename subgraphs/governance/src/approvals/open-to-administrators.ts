import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import type { ApprovalStage } from './approval-stage.ts'
import { conflictOf, tookPart } from './approval-status.ts'
import { DECISION_COLUMNS, type DecisionRow } from './decision-row.ts'
import { escalateStage } from './escalate-stage.ts'

interface Named {
  id: string
  kind: string
  deactivated: boolean
}

/**
 * Where a locked approval's stage names people, groups or teams alone and too few of them are still active, administrators
 * may decide it as well, and it is an escalation from then on; its deadline stays. Output: the approval as it is then. Events:
 * approval.escalated, escalation.opened. Audit: the escalation.
 */
export async function openToAdministrators(tx: SqlTransaction, approval: ApprovalRow): Promise<ApprovalRow> {
  const { id, stage } = approval
  const asked = approval.stages[stage]
  if (!asked || asked.roles.length > 0 || (await isDecidable(tx, approval, asked))) return approval
  const [opened] = await tx.sql<ApprovalRow>(
    `update approval set stages = jsonb_set(stages, array[stage::text, 'roles'], '["admin"]'::jsonb)
     where organization_id = $1::uuid and id = $2::uuid returning ${APPROVAL_COLUMNS}`,
    tx.actor.organizationId,
    id,
  )
  if (!opened) throw new Error('A locked approval is gone.')
  await escalateStage(tx, approval, {
    key: '/nobody',
    title: 'Nobody is left to decide',
    reason: `Of those whom stage "${asked.name}" names, too few are active.`,
  })
  return opened
}

/** Whether enough of those whom a stage names can say yes; always where none of them is deactivated. */
async function isDecidable(
  tx: SqlTransaction,
  approval: ApprovalRow,
  { people, groups, teamIds, needed }: ApprovalStage,
): Promise<boolean> {
  // Shared with other approvals; who is being deactivated at this moment is waited for.
  const named = await tx.sql<Named>(
    `select id, kind, deactivated_at is not null as deactivated from principal
     where organization_id = $1::uuid and (id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid))
       or groups && array(select jsonb_array_elements_text($3::jsonb))
       or team_ids && array(select jsonb_array_elements_text($4::jsonb)::uuid))
     order by id for share`,
    tx.actor.organizationId,
    JSON.stringify(people.filter(isId)),
    JSON.stringify(groups),
    JSON.stringify(teamIds),
  )
  if (!named.some(({ deactivated }) => deactivated)) return true
  const decisions = await tx.sql<DecisionRow>(
    `select ${DECISION_COLUMNS} from approval_decision
     where organization_id = $1::uuid and approval_id = $2::uuid and round = $3::int order by id`,
    tx.actor.organizationId,
    approval.id,
    approval.round,
  )
  const known = new Set(named.map(({ id }) => id))
  // Whom an identity provider alone knows is not kept here.
  const able = [
    ...people.filter((id) => !known.has(id)),
    ...named.filter(({ kind, deactivated }) => kind === 'person' && !deactivated).map(({ id }) => id),
  ].filter((id) => conflictOf(approval, { id, kind: 'person' }) === null && !tookPart(decisions, id))
  const given = decisions.filter(
    (each) => each.stage === approval.stage && each.verdict === 'approved' && each.personId !== null,
  )
  return able.length >= needed - given.length
}
