import { createHash } from 'node:crypto'
import type { TenantTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { holdsOneOf } from '../access/effective-access.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from '../approvals/approval-row.ts'
import { conflictOf } from '../approvals/approval-status.ts'
import { isAboutSql } from '../approvals/is-about-sql.ts'
import type { DomainServices } from '../context.ts'
import type { Responsible } from '../escalations/escalation-level.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from '../escalations/escalation-row.ts'
import { canResolve } from '../escalations/escalation-status.ts'
import type { NotificationMessage } from './notification-row.ts'
import { SET_BY_OWNER } from './own-place.ts'

/** Whom something concerns; people and teams by id. */
interface Concerned {
  roles: string[]
  groups: string[]
  people: string[]
  teamIds: string[]
  /** The action, where delegates of these people are concerned too; null: they are not. */
  action: string | null
  /** Of people: those who could do nothing about it. */
  except: string[]
}

/**
 * Makes what is to be told of an escalation as it stands: to whoever is responsible now and to the organization's
 * channels, once a turn and place, however often this is called; `exhausted`: that the last level missed its deadline too.
 * Output: how many are new.
 */
export async function planEscalation(
  { database }: DomainServices,
  actor: Actor,
  id: string,
  occasion: 'waiting' | 'exhausted' = 'waiting',
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
    const about = { subject: `escalation/${id}`, turn, occasion }
    return plan(tx, about, concernedBy(whom), {
      type: `escalation.${occasion}`,
      title: `${occasion === 'exhausted' ? 'Nobody answers an escalation' : 'Escalation'} (${level}): ${title}`,
      said: reason,
      lines: [
        ...(occasion === 'exhausted' ? ['Its last level missed its deadline too.'] : []),
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

/**
 * As {@link planEscalation}, of an approval: to those who may decide its stage, by themselves or for who lent them their
 * right, once a round and stage; `reminded`: that its deadline comes near.
 */
export async function planApproval(
  { database }: DomainServices,
  actor: Actor,
  id: string,
  occasion: 'waiting' | 'reminded' = 'waiting',
): Promise<number> {
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
      { subject: `approval/${id}`, turn, occasion },
      { roles, groups, people, teamIds, action, except: await thoseWhoCannot(tx, approval) },
      {
        type: `approval.${occasion}`,
        title: `${occasion === 'reminded' ? 'Still to decide' : 'To decide'}: ${title}`,
        said: reason,
        lines: [
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

/** Whoever is responsible. */
export function concernedBy(responsible: Responsible | null): Concerned {
  const of = (kind: Responsible['kind']): string[] => (responsible?.kind === kind ? [responsible.name] : [])
  return {
    roles: of('role'),
    groups: of('group'),
    people: of('person'),
    teamIds: [],
    action: null,
    except: [],
  }
}

/** Who asked, wrote it, or took part already. */
async function thoseWhoCannot(
  tx: TenantTransaction,
  { id, round, requestedBy, authors }: ApprovalRow,
): Promise<string[]> {
  const decided = await tx.sql<{ personId: string | null; onBehalfOfId: string | null }>(
    `select person_id as "personId", on_behalf_of_id as "onBehalfOfId" from approval_decision
     where organization_id = $1::uuid and approval_id = $2::uuid and round = $3::int`,
    tx.actor.organizationId,
    id,
    round,
  )
  const took = decided.flatMap(({ personId, onBehalfOfId }) => [personId, onBehalfOfId])
  const asked = [requestedBy.id, requestedBy.agentId, ...authors].filter(
    (each) =>
      each !== undefined && conflictOf({ requestedBy, authors }, { id: each, kind: 'person' }) !== null,
  )
  return [...took, ...asked].filter((each) => each != null)
}

// Delegates of those who are concerned as well: a right that was lent is not lent on, so one step is all.
// People by their channels, and by their own e-mail address where they set none themselves; groups by theirs, beside their members.
const PLACES = `with named as (
    select p.id::text as id, p.email from principal p
    where p.organization_id = $1::uuid and p.kind = 'person' and p.deactivated_at is null and (p.id = any(array(select jsonb_array_elements_text($4::jsonb)::uuid))
      or ${holdsOneOf('array(select jsonb_array_elements_text($2::jsonb))')}
      or p.groups && array(select jsonb_array_elements_text($3::jsonb))
      or p.team_ids && array(select jsonb_array_elements_text($6::jsonb)::uuid))
    union select id, null from jsonb_array_elements_text($5::jsonb) as elsewhere(id)),
  concerned as (
    select id, email from named
    union select d.to_id, p.email from approval_delegation d
    left join principal lender on lender.organization_id = d.organization_id and lender.id::text = d.from_id
    left join principal p on p.organization_id = d.organization_id and p.id::text = d.to_id
    where d.organization_id = $1::uuid and d.ended_at is null and p.deactivated_at is null and lender.deactivated_at is null
      and d.starts_at <= clock_timestamp() and d.ends_at > clock_timestamp()
      and $7::text is not null and (cardinality(d.actions) = 0 or ${isAboutSql('d.actions', '$7::text')})
      and (cardinality(d.team_ids) = 0 or d.team_ids && array(select jsonb_array_elements_text($6::jsonb)::uuid))
      and (d.from_id in (select id from named)
        or (lender.id is null and d.delegator_roles && array(select jsonb_array_elements_text($2::jsonb)))))
  select 'person' as "ownerKind", c.owner, c.kind, c.address, c.credential, ${SET_BY_OWNER} or (c.kind = 'email'
      and exists (select from concerned p where p.id = c.owner and lower(p.email) = lower(c.address))) as "isOwn"
  from notification_channel c
  where c.organization_id = $1::uuid and c.owner_kind = 'person' and c.owner in (select id from concerned)
  union select c.owner_kind, c.owner, c.kind, c.address, c.credential, false from notification_channel c
  where c.organization_id = $1::uuid and (c.owner_kind = 'organization'
    or (c.owner_kind = 'group' and c.owner in (select jsonb_array_elements_text($3::jsonb))))
  union select 'person', p.id, 'email', p.email, null, true from concerned p
  where p.email is not null and not exists (select from notification_channel c
    where c.organization_id = $1::uuid and c.owner = p.id and (${SET_BY_OWNER} or lower(c.address) = lower(p.email)))`

interface Place {
  ownerKind: string
  owner: string
  kind: string
  address: string
  credential: string | null
  /** Whether the person has it themselves: a link may go there. */
  isOwn: boolean
}

/** Makes what is to be told to those who are concerned, once a subject, turn, occasion and place. Output: how many are new. */
export async function plan(
  tx: TenantTransaction,
  { subject, turn, occasion }: { subject: string; turn: number; occasion: string },
  { roles, groups, people, teamIds, action, except }: Concerned,
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
    action,
  )
  const told = places.filter(({ ownerKind, owner }) => ownerKind !== 'person' || !except.includes(owner))
  // By place and not by recipient: an address that two share is told once, and then it has no link, which is one person's.
  const byPlace = Map.groupBy(
    told,
    ({ kind, address, credential }) => `${kind}/${address}/${credential ?? ''}`,
  )
  let made = 0
  for (const [place, [first, ...others]] of byPlace) {
    if (!first) continue
    const { ownerKind, owner, kind, address, credential, isOwn } = first
    const isTheirs = others.length === 0 && ownerKind === 'person' && isId(owner) && isOwn
    const recipient =
      ownerKind === 'person' ? owner : ownerKind === 'group' ? `group/${owner}` : 'organization'
    const rows = await tx.sql(
      `insert into notification (organization_id, key, subject, turn, recipient, kind, address, credential, message,
         link_for)
       values ($1::uuid, $2, $3, $4::int, $5, $6, $7, $8, $9::jsonb, $10::uuid)
       on conflict (organization_id, key) do nothing returning id`,
      organizationId,
      `${subject}/${turn}/${hashOf(`${occasion === 'waiting' ? '' : `${occasion}/`}${place}`)}`,
      subject,
      turn,
      recipient,
      kind,
      address,
      credential,
      JSON.stringify(message),
      isTheirs ? owner : null,
    )
    made += rows.length
  }
  return made
}

// A place is longer than an index takes.
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
