import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { API_KEY_COLUMNS, API_KEY_TABLES, type ApiKeyRow } from './api-key-row.ts'

const MOST = 1_000

/** The organization's keys, newest first, the newest 1,000. */
export function listApiKeys({ database }: DomainServices, actor: Actor): Promise<ApiKeyRow[]> {
  return database.readTenant<ApiKeyRow>(
    actor,
    `select ${API_KEY_COLUMNS} from ${API_KEY_TABLES} where k.organization_id = $1 order by k.id desc limit $2`,
    [actor.organizationId, MOST],
  )
}
