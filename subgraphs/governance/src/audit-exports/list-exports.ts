import { type Connection, connectionOf, isId, type PageArguments, readPage } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { EXPORT_COLUMNS, type ExportRow } from './export-row.ts'

/** Exports of the record, newest first. */
export async function listExports(
  { database }: DomainServices,
  actor: Actor,
  page: PageArguments,
): Promise<Connection<ExportRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<ExportRow>(
    actor,
    `select ${EXPORT_COLUMNS} from audit_export where organization_id = $1 and ($2::uuid is null or id < $2)
     order by id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}

/** An export; null when there is none of this id. */
export async function readExport(
  { database }: DomainServices,
  actor: Actor,
  id: string,
): Promise<ExportRow | null> {
  if (!isId(id)) return null
  const [row] = await database.readTenant<ExportRow>(
    actor,
    `select ${EXPORT_COLUMNS} from audit_export where organization_id = $1 and id = $2`,
    [actor.organizationId, id],
  )
  return row ?? null
}

/**
 * A part of an export's file, from 1; null when there is none, or not any more, as of one that was cancelled, or it has what is sensitive and is asked for
 * by somebody who may not see that.
 */
export async function readExportPart(
  { database }: DomainServices,
  actor: Actor,
  { id, sensitive, status }: ExportRow,
  number: number,
): Promise<string | null> {
  if (status === 'cancelled' || (sensitive && !actor.scopes.includes('audit:sensitive'))) return null
  const [row] = await database.readTenant<{ content: string }>(
    actor,
    'select content from audit_export_part where organization_id = $1 and export_id = $2 and number = $3',
    [actor.organizationId, id, number],
  )
  return row?.content ?? null
}
