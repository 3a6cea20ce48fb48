import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { behind, isPerson } from '../access/behind.ts'
import type { DomainServices } from '../context.ts'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import { isAboutSql } from './is-about-sql.ts'
import { readStanding } from './read-standing.ts'

// As `judgeDecision` has it, of a yes to what was asked; a property test holds the two together. Names that do not count
// since who asked gave them (withoutGiven) are not looked at: who decides by one is refused.
const IN_INBOX = `a.organization_id = $1 and a.status = 'pending'
  and (a.expires_at is null or a.expires_at > clock_timestamp() or a.on_deadline = 'escalate')
  and a.requested_by->>'id' <> all($2::text[]) and not a.authors && $2::text[]
  and coalesce(a.requested_by->>'agentId' <> all($2::text[]), true)
  and not exists (select from approval_decision d
    where d.organization_id = a.organization_id and d.approval_id = a.id and d.round = a.round
      and (d.person_id = any($2::text[]) or d.on_behalf_of_id = any($2::text[])))
  and exists (select from jsonb_to_recordset($3::jsonb) as w(id text, roles text[], groups text[], "teamIds" text[],
      own boolean, behind text[], actions text[], "forTeamIds" text[])
    where ((a.stages->a.stage->'people') ? w.id or (a.stages->a.stage->'roles') ?| w.roles
        or (a.stages->a.stage->'groups') ?| w.groups or (a.stages->a.stage->'teamIds') ?| w."teamIds")
      and (w.own or (
        (cardinality(w.actions) = 0 or ${isAboutSql('w.actions', 'a.action')})
        and (cardinality(w."forTeamIds") = 0 or (a.stages->a.stage->'teamIds') ?| w."forTeamIds")
        and a.requested_by->>'id' <> all(w.behind) and not a.authors && w.behind
        and coalesce(a.requested_by->>'agentId' <> all(w.behind), true)
        and not exists (select from approval_decision d
          where d.organization_id = a.organization_id and d.approval_id = a.id and d.round = a.round
            and (d.person_id = any(w.behind) or d.on_behalf_of_id = any(w.behind))))))`

const URGENCY = (of: string): string => `coalesce(${of}.expires_at, 'infinity'),
  array_position(array['critical', 'high', 'medium', 'low'], ${of}.risk), ${of}.id`

/**
 * One page of what the caller can decide now, by themselves or for who lent them their right: the nearest deadline first,
 * then the highest risk, then the oldest.
 */
export async function approvalInbox(
  services: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<ApprovalRow>> {
  const { take, afterId } = readPage(page)
  const who = await authoritiesOf(services, actor)
  if (who === null) return connectionOf([], take)
  const rows = await services.database.readTenant<ApprovalRow>(
    actor,
    `select ${APPROVAL_COLUMNS} from approval a
     where ${IN_INBOX} and ($4::uuid is null or (${URGENCY('a')}) > (
       select ${URGENCY('b')} from approval b where b.organization_id = $1 and b.id = $4))
     order by ${URGENCY('a')} limit $5`,
    [actor.organizationId, behind(actor), who, afterId, take],
  )
  return connectionOf(rows, take)
}

/** Which of these approvals the caller can decide now. */
export async function inInbox(
  services: DomainServices,
  actor: Actor,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const who = await authoritiesOf(services, actor)
  if (who === null) return new Set()
  const rows = await services.database.readTenant<{ id: string }>(
    actor,
    `select a.id from approval a where ${IN_INBOX} and a.id = any($4::uuid[])`,
    [actor.organizationId, behind(actor), who, ids],
  )
  return new Set(rows.map(({ id }) => id))
}

/** By whose rights they decide, as JSON; null for whoever is no person, and decides nothing. */
async function authoritiesOf({ database }: DomainServices, actor: Actor): Promise<string | null> {
  if (!isPerson(actor)) return null
  const { own, lent } = await readStanding(
    (text, parameters) => database.readTenant(actor, text, parameters),
    actor,
  )
  return JSON.stringify([
    { ...own, own: true, behind: behind(own), actions: [], forTeamIds: [] },
    ...lent.map((each) => ({ ...each, own: false, behind: behind(each) })),
  ])
}
