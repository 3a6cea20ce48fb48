import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import type { DomainServices } from '../context.ts'
import type { Responsible } from '../escalations/escalation-level.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from '../escalations/escalation-row.ts'
import { canResolve } from '../escalations/escalation-status.ts'
import type { NotificationMessage } from './notification-row.ts'

/** Whom something concerns; people and teams by id. */
interface Concerned {
  roles: string[]
  groups: string[]
  people: string[]
  teamIds: string[]
}

/**
 * Makes what is to be told of an escalation as it stands: to whoever is responsible now and to the organization's
 * channels, once a turn and place, however often this is called. Output: how many are new.
 */
export async function planEscalation(
  { database }: DomainServices,
  actor: Actor,
  id: string,
): Promise<number> {
  return database.inTenant(actor, async (tx) => {
    const [escalation] = await tx.sql<EscalationRow>(
      `select ${ESCALATION_COLUMNS} from escalation where organization_id = $1::uuid and id = $2::uuid`,
      actor.organizationId,
      id,
    )
    if (!escalation || !canResolve(escalation.status)) return 0
    const { level, title, reason, responsible, assignedTo, acknowledgeBy, approvalId, turn } = escalation
    const whom: Responsible | null = assignedTo ? { kind: 'person', name: assignedTo.id } : responsible
    return plan(tx, `escalation/${id}`, turn, concernedBy(whom), {
      type: 'escalation.waiting',
      title: `Escalation (${level}): ${title}`,
      lines: [
        reason,
        ...(acknowledgeBy ? [`To be taken on until ${acknowledgeBy.toISOString()}.`] : []),
        `Escalation ${id}`,
      ],
      data: {
        escalationId: id,
        level,
        title,
        reason,
        approvalId,
        acknowledgeBy: acknowledgeBy?.toISOString() ?? null,
      },
    })
  })
}

/** As {@link planEscalation}, of an approval: to those whom its stage names, once a round and stage. */
export async function planApproval({ database }: DomainServices, actor: Actor, id: string): Promise<number> {
  return database.inTenant(actor, async (tx) => {
    const [approval] = await tx.sql<ApprovalRow>(
      `select ${APPROVAL_COLUMNS} from approval where organization_id = $1::uuid and id = $2::uuid`,
      actor.organizationId,
      id,
    )
    const stage = approval?.stages[approval.stage]
    if (!approval || !stage || approval.status !== 'pending') return 0
    const { title, action, reason, digest, risk, expiresAt, round } = approval
    const { roles, groups, people, teamIds } = stage
    const turn = round * 100 + approval.stage
    return plan(
      tx,
      `approval/${id}`,
      turn,
      { roles, groups, people, teamIds },
      {
        type: 'approval.waiting',
        title: `To decide: ${title}`,
        lines: [
          reason,
          `Action ${action}, risk ${risk}.`,
          ...(expiresAt ? [`To be decided until ${expiresAt.toISOString()}.`] : []),
          `Approval ${id}, digest ${digest}`,
        ],
        data: {
          approvalId: id,
          title,
          action,
          reason,
          digest,
          risk,
          expiresAt: expiresAt?.toISOString() ?? null,
        },
      },
    )
  })
}

function concernedBy(responsible: Responsible | null): Concerned {
  const of = (kind: Responsible['kind']): string[] => (responsible?.kind === kind ? [responsible.name] : [])
  return { roles: of('role'), groups: of('group'), people: of('person'), teamIds: [] }
}

// People by their own channels, or their own e-mail address where they have none; groups by theirs, beside their members.
const PLACES = `with concerned as (
    select p.id::text as id, p.email from principal p
    where p.organization_id = $1::uuid and p.kind = 'person' and (p.id = any(array(select jsonb_array_elements_text($4::jsonb)::uuid))
      or p.roles && array(select jsonb_array_elements_text($2::jsonb))
      or p.groups && array(select jsonb_array_elements_text($3::jsonb))
      or p.team_ids && array(select jsonb_array_elements_text($6::jsonb)::uuid))
    union select id, null from jsonb_array_elements_text($5::jsonb) as named(id))
  select 'person' as "ownerKind", c.owner, c.kind, c.address, c.credential from notification_channel c
  where c.organization_id = $1::uuid and c.owner_kind = 'person' and c.owner in (select id from concerned)
  union select c.owner_kind, c.owner, c.kind, c.address, c.credential from notification_channel c
  where c.organization_id = $1::uuid and (c.owner_kind = 'organization'
    or (c.owner_kind = 'group' and c.owner in (select jsonb_array_elements_text($3::jsonb))))
  union select 'person', p.id, 'email', p.email, null from concerned p
  where p.email is not null and not exists (select from notification_channel c
    where c.organization_id = $1::uuid and c.owner_kind = 'person' and c.owner = p.id)`

interface Place {
  ownerKind: string
  owner: string
  kind: string
  address: string
  credential: string | null
}

async function plan(
  tx: TenantTransaction,
  subject: string,
  turn: number,
  { roles, groups, people, teamIds }: Concerned,
  message: NotificationMessage,
): Promise<number> {
  const { organizationId } = tx.actor
  const kept = people.filter(isId)
  const elsewhere = people.filter((id) => !isId(id))
  const places = await tx.sql<Place>(
    PLACES,
    organizationId,
    JSON.stringify(roles),
    JSON.stringify(groups),
    JSON.stringify(kept),
    JSON.stringify(elsewhere),
    JSON.stringify(teamIds),
  )
  let made = 0
  for (const { ownerKind, owner, kind, address, credential } of places) {
    const recipient =
      ownerKind === 'person' ? owner : ownerKind === 'group' ? `group/${owner}` : 'organization'
    const rows = await tx.sql(
      `insert into notification (organization_id, key, subject, turn, recipient, kind, address, credential, message)
       values ($1::uuid, $2, $3, $4::int, $5, $6, $7, $8, $9::jsonb)
       on conflict (organization_id, key) do nothing returning id`,
      organizationId,
      // By place and not by recipient: an address that two share is told once.
      `${subject}/${turn}/${kind}/${address}/${credential ?? ''}`,
      subject,
      turn,
      recipient,
      kind,
      address,
      credential,
      JSON.stringify(message),
    )
    made += rows.length
  }
  return made
}
