import type { SqlTransaction } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import { keepAnAdministrator } from '../access/keep-an-administrator.ts'
import type { Left } from '../approvals/open-stranded-approvals.ts'
import { endSessionsBy } from '../sessions/end-sessions.ts'
import { ERASED } from './erased.ts'

/**
 * Takes a person out of everything that can be changed, in the caller's transaction: their name wherever it stands beside
 * their id, what they wrote when they decided, where they are told, and, of a principal, all by which they are somebody.
 * Output: who is gone, and from where. INVALID_STATE for the last administrator. Events: credential.revoked for each of theirs.
 */
export async function forgetPerson(tx: SqlTransaction, person: string): Promise<Left> {
  const { organizationId } = tx.actor
  const [was] = isId(person)
    ? await tx.sql<Left>(
        `select id as "principalId", groups, team_ids as "teamIds" from principal
         where organization_id = $1::uuid and id = $2::uuid`,
        organizationId,
        person,
      )
    : []
  for (const statement of THEIRS) await tx.sql(statement, organizationId, person, ERASED)
  await tx.sql('select erase_remarks($1, $2) as remarks', person, ERASED)
  await forgetName(tx, person)
  if (isId(person)) await keepAnAdministrator(tx, 'input.subject', () => forgetPrincipal(tx, person))
  return was ?? {}
}

/** $1: the organization, $2: their id, $3: what stands there instead. */
const THEIRS = [
  `update approval set comment = $3 where organization_id = $1::uuid and decided_by->>'id' = $2 and comment <> $3`,
  `update approval_delegation set reason = case when reason is not null then $3 end,
     ended_at = coalesce(ended_at, clock_timestamp())
   where organization_id = $1::uuid and (from_id = $2 or to_id = $2)`,
  `update escalation set resolution = $3 where organization_id = $1::uuid and resolved_by->>'id' = $2 and resolution <> $3`,
  `update incident set resolution = $3 where organization_id = $1::uuid and resolved_by->>'id' = $2 and resolution <> $3`,
  `update incident_entry set text = $3 where organization_id = $1::uuid and actor->>'id' = $2 and text <> $3`,
  `update policy_version set review_comment = $3
   where organization_id = $1::uuid and reviewed_by->>'id' = $2 and review_comment <> $3`,
  `update policy_exception set comment = $3 where organization_id = $1::uuid and decided_by->>'id' = $2 and comment <> $3`,
  `update role_assignment set reason = $3
   where organization_id = $1::uuid and principal_id::text = $2 and reason is not null and reason <> $3`,
  `update break_glass set reason = $3 where organization_id = $1::uuid and principal_id::text = $2`,
  `delete from notification_channel where organization_id = $1::uuid and owner_kind = 'person' and owner = $2 and $3 <> ''`,
  `update notification set address = '', last_error = null,
     message = jsonb_build_object('type', message->'type', 'title', $3::text, 'lines', '[]'::jsonb, 'data', '{}'::jsonb),
     status = case when status = 'pending' then 'dropped' else status end
   where organization_id = $1::uuid and (recipient = $2 or link_for::text = $2 or message #>> '{data,actor,id}' = $2)`,
  `delete from policy_decision where organization_id = $1::uuid and $3 <> '' and (actor_id = $2
     or exists (select from (select name from principal where organization_id = $1::uuid and id::text = $2
       union all select name from known_person where organization_id = $1::uuid and id = $2) called
       where strpos(request::text, to_jsonb(called.name)::text) > 0))`,
  `update known_person set name = $3 where organization_id = $1::uuid and id = $2`,
  `update decision_link set expires_at = least(expires_at, clock_timestamp())
   where organization_id = $1::uuid and principal_id::text = $2 and $3 <> ''`,
]

/** Whoever did something stands as { id, kind, name } in columns of these names. */
const REFERENCES = `
  select format('%I', c.table_name) as "table", format('%I', c.column_name) as "column"
  from information_schema.columns c
  where c.table_schema = 'public' and c.data_type = 'jsonb'
    and (c.column_name like '%\\_by' or c.column_name in ('actor', 'sender', 'delegator', 'delegate', 'assigned_to', 'on_behalf_of'))
    and has_column_privilege(current_user, format('public.%I', c.table_name), c.column_name, 'update')
  order by 1, 2`

/** Puts another name wherever theirs stands beside their id. */
async function forgetName(tx: SqlTransaction, person: string): Promise<void> {
  const { organizationId } = tx.actor
  // As whoever acts on a run does: it before all else, the outer one first.
  await tx.sql(
    `select 1 as locked from run where organization_id = $1::uuid and started_by->>'id' = $2 order by id for update`,
    organizationId,
    person,
  )
  const references = await tx.sql<{ table: string; column: string }>(REFERENCES)
  for (const { table, column } of references)
    await tx.sql(
      `update ${table} set ${column} = jsonb_set(${column}, '{name}', to_jsonb($3::text))
       where organization_id = $1::uuid and ${column}->>'id' = $2 and ${column}->>'kind' = 'person' and ${column}->>'name' <> $3`,
      organizationId,
      person,
      ERASED,
    )
}

/** A principal stays as an id, for what refers to it. */
async function forgetPrincipal(tx: SqlTransaction, id: string): Promise<void> {
  const { organizationId } = tx.actor
  await tx.sql(
    `update principal set name = $3 || ' ' || id, email = null, issuer = null, subject = null, user_name = null,
       external_id = null, profile = null, directory_at = null, roles = '{}', groups = '{}', team_ids = '{}',
       deactivated_at = coalesce(deactivated_at, clock_timestamp()), deactivated_by = 'administrator'
     where organization_id = $1::uuid and id = $2::uuid`,
    organizationId,
    id,
    ERASED,
  )
  await tx.sql(
    `update role_assignment set revoked_at = clock_timestamp()
     where organization_id = $1::uuid and principal_id = $2::uuid and revoked_at is null`,
    organizationId,
    id,
  )
  const keys = await tx.sql<{ id: string }>(
    `update api_key set revoked_at = now()
     where organization_id = $1::uuid and principal_id = $2::uuid and revoked_at is null returning id`,
    organizationId,
    id,
  )
  await tx.appendEvents(
    keys.map((key) => ({
      type: 'credential.revoked',
      subject: `apiKey/${key.id}`,
      data: { credentialId: key.id },
    })),
  )
  await endSessionsBy(tx, 'principal_id', id)
}
