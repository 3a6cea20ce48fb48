import { isId } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { API_KEY_COLUMNS, API_KEY_TABLES, type ApiKeyRow } from './api-key-row.ts'

/** API keys by id, in one read; an id that is not of this organization is left out. */
export async function loadApiKeys(
  { database, actor }: Context,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ApiKeyRow>> {
  const rows = await database.readTenant<ApiKeyRow>(
    actor,
    `select ${API_KEY_COLUMNS} from ${API_KEY_TABLES} where k.organization_id = $1 and k.id = any($2::uuid[])`,
    [actor.organizationId, ids.filter(isId)],
  )
  return new Map(rows.map((row) => [row.id, row]))
}
