import { type Connection, connectionOf, type PageArguments, readPage } from '@tutti/runtime'
import type { Context } from '../context.ts'
import { SETTINGS_COLUMNS, type SettingsRow } from './settings-row.ts'

/** Every version of the settings, newest first. */
export async function listSettings(
  { database, actor }: Context,
  page: PageArguments,
): Promise<Connection<SettingsRow>> {
  const { take, afterId } = readPage(page)
  const rows = await database.readTenant<SettingsRow>(
    actor,
    `select ${SETTINGS_COLUMNS} from engine_settings s
     where s.organization_id = $1 and ($2::uuid is null or s.id < $2) order by s.id desc limit $3`,
    [actor.organizationId, afterId, take],
  )
  return connectionOf(rows, take)
}
