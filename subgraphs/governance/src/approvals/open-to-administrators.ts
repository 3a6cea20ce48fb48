import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { type ApprovalStage, MOST_DECIDERS } from './approval-stage.ts'
import { escalateStage } from './escalate-stage.ts'

interface Kept {
  id: string
  isAble: boolean
}

/**
 * Whether fewer than it needs of those whom the present stage of the approval `a` names by people, groups or teams can still
 * say yes to it, in SQL; `named`: a query of the ids of those who are active, and of those whom an identity provider alone
 * knows.
 */
export const hasTooFewOf = (named: string): string => `(
    select count(*) from (
      select from (${named}) as who(id)
      where who.id <> a.requested_by->>'id' and who.id is distinct from a.requested_by->>'agentId'
        and who.id <> all(a.authors)
        and not exists (select from approval_decision d
          where d.organization_id = a.organization_id and d.approval_id = a.id and d.round = a.round
            and (d.person_id = who.id or d.on_behalf_of_id = who.id))
      limit ${MOST_DECIDERS}) as able)
  < (a.stages->a.stage->>'needed')::int - (
    select count(*) from approval_decision d
    where d.organization_id = a.organization_id and d.approval_id = a.id and d.round = a.round and d.stage = a.stage
      and d.verdict = 'approved' and d.person_id is not null)`

/**
 * Where a locked approval's stage names people, groups or teams alone and too few of them can say yes (they are deactivated,
 * in no such group, asked for it or took part), administrators may decide it as well, and it is an escalation from then on; its
 * deadline stays. Output: the approval as it is then. Events: approval.escalated, escalation.opened. Audit: the escalation.
 */
export async function openToAdministrators(tx: SqlTransaction, approval: ApprovalRow): Promise<ApprovalRow> {
  const { id, stage } = approval
  const asked = approval.stages[stage]
  if (!asked || asked.roles.length > 0 || !(await hasTooFew(tx, id, asked))) return approval
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
    reason: `Of those whom stage "${asked.name}" names, too few can decide it.`,
  })
  return opened
}

async function hasTooFew(
  tx: SqlTransaction,
  approvalId: string,
  { people, groups, teamIds }: ApprovalStage,
): Promise<boolean> {
  // Shared with other approvals; who is being deactivated, or leaves a group, at this moment is waited for.
  const kept = await tx.sql<Kept>(
    `select id, kind = 'person' and deactivated_at is null as "isAble" from principal
     where organization_id = $1::uuid and (id = any(array(select jsonb_array_elements_text($2::jsonb)::uuid))
       or groups && array(select jsonb_array_elements_text($3::jsonb))
       or team_ids && array(select jsonb_array_elements_text($4::jsonb)::uuid))
     order by id for share`,
    tx.actor.organizationId,
    JSON.stringify(people.filter(isId)),
    JSON.stringify(groups),
    JSON.stringify(teamIds),
  )
  const known = new Set(kept.map(({ id }) => id))
  const named = [
    ...people.filter((id) => !known.has(id.toLowerCase())),
    ...kept.filter(({ isAble }) => isAble).map(({ id }) => id),
  ]
  const [found] = await tx.sql<{ id: string }>(
    `select a.id from approval a where a.organization_id = $1::uuid and a.id = $2::uuid
       and ${hasTooFewOf('select jsonb_array_elements_text($3::jsonb)')}`,
    tx.actor.organizationId,
    approvalId,
    JSON.stringify(named),
  )
  return found !== undefined
}
