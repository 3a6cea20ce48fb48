import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { inInbox } from '../approvals/approval-inbox.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { DECISION_COLUMNS, type DecisionRow } from '../approvals/decision-row.ts'
import type { DomainServices } from '../context.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from '../escalations/escalation-row.ts'
import { canAcknowledge } from '../escalations/escalation-status.ts'
import type { LinkSubject } from './decision-link.ts'

/** What waits for a person's answer. */
export type Waiting =
  /** With what was decided so far, of all rounds, oldest first. */
  | { kind: 'approval'; approval: ApprovalRow; decisions: DecisionRow[] }
  | { kind: 'escalation'; escalation: EscalationRow }

/** The approval that this person may decide now, or the escalation that may be taken on, as the link names it; else null. */
export async function readSubject(
  services: DomainServices,
  person: Actor,
  { kind, id, round, digest }: LinkSubject,
): Promise<Waiting | null> {
  if (!isId(id)) return null
  const { database } = services
  if (kind === 'escalation') {
    const [escalation] = await database.readTenant<EscalationRow>(
      person,
      `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1 and id = $2 and turn = $3`,
      [person.organizationId, id, round],
    )
    return escalation && canAcknowledge(escalation.status) ? { kind, escalation } : null
  }
  const [approval] = await database.readTenant<ApprovalRow>(
    person,
    `select ${APPROVAL_COLUMNS} from approval
     where organization_id = $1 and id = $2 and round = $3 and digest = $4`,
    [person.organizationId, id, round, digest],
  )
  if (!approval || !(await inInbox(services, person, [id])).has(id)) return null
  const decisions = await database.readTenant<DecisionRow>(
    person,
    `select ${DECISION_COLUMNS} from approval_decision where organization_id = $1 and approval_id = $2 order by id`,
    [person.organizationId, id],
  )
  return { kind, approval, decisions }
}
