import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { findable } from '../input/text.ts'
import type { EscalationLevel } from './escalation-level.ts'
import { ESCALATION_COLUMNS, type EscalationRow } from './escalation-row.ts'
import type { EscalationStatus } from './escalation-status.ts'

/** Which escalations; what is not given is any. */
export interface EscalationFilter {
  status?: EscalationStatus | undefined
  level?: EscalationLevel | undefined
  /** The id of the person who has it. */
  assignee?: string | null | undefined
  /** Only what the caller is responsible for: by themselves, or by a role or group where nobody has it alone. */
  mine?: boolean | null | undefined
}

const MINE = `(e.assigned_to->>'id' = $7 or (e.assigned_to is null and (
  (e.responsible->>'kind' = 'role' and e.responsible->>'name' = any($8::text[]))
  or (e.responsible->>'kind' = 'group' and exists (select from principal p
    where p.organization_id = e.organization_id and p.id = $9::uuid and e.responsible->>'name' = any(p.groups))))))`

/** One page of escalations, oldest first. */
export async function listEscalations(
  { database }: DomainServices,
  actor: Actor,
  { status, level, assignee, mine, ...page }: PageArguments & EscalationFilter,
): Promise<Connection<EscalationRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<EscalationRow>(
    actor,
    `select ${ESCALATION_COLUMNS} from escalation e
     where e.organization_id = $1 and ($2::uuid is null or e.id > $2) and ($3::text is null or e.status = $3)
       and ($4::text is null or e.level = $4) and ($5::text is null or e.assigned_to->>'id' = $5)
       and (not $6::boolean or ${MINE})
     order by e.id limit $10`,
    [
      actor.organizationId,
      afterId,
      status ?? null,
      level ?? null,
      assignee == null ? null : findable(assignee),
      mine ?? false,
      actor.id,
      actor.roles,
      isId(actor.id) ? actor.id : null,
      take,
    ],
  )
  return connectionOf(rows, take)
}
