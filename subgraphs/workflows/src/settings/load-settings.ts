import type { Context } from '../context.ts'
import { SETTINGS_COLUMNS, type SettingsRow } from './settings-row.ts'

/** The settings in force, or a version of them; null when there is none. */
export async function loadSettings(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  version: number | null = null,
): Promise<SettingsRow | null> {
  const [row] = await database.readTenant<SettingsRow>(
    actor,
    `select ${SETTINGS_COLUMNS} from engine_settings s
     where s.organization_id = $1 and ($2::int is null or s.version = $2) order by s.version desc limit 1`,
    [actor.organizationId, version],
  )
  return row ?? null
}
