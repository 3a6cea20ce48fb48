import { isRecord } from '@tutti/schema'
import type { Context } from '../context.ts'
import type { Consequences } from './consequences.ts'
import type { SettingsInForce } from './read-settings.ts'

const PATHS: ReadonlySet<string> = new Set([
  'organization_orchestration.integration_preferences.messaging_platform',
  'organization_orchestration.integration_preferences.social_platforms',
])

/** Adds to what platforms without effect are told whether there is a connector of each name, and which have none. */
export async function tellConnectors(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  settings: SettingsInForce,
  withoutEffect: Consequences['withoutEffect'],
): Promise<Consequences['withoutEffect']> {
  const said = withoutEffect.filter(({ path }) => PATHS.has(path))
  if (said.length === 0) return withoutEffect
  const names = new Map(said.map(({ path }) => [path, namesAt(settings, path)]))
  const rows = await database.readTenant<{ name: string }>(
    actor,
    'select name from connector where organization_id = $1 and name = any($2::text[])',
    [actor.organizationId, [...names.values()].flat()],
  )
  const there = new Set(rows.map(({ name }) => name))
  return withoutEffect.map(({ path, reason }) => ({
    path,
    reason: `${reason}${wordsOf(names.get(path) ?? [], there)}`,
  }))
}

function wordsOf(names: readonly string[], there: ReadonlySet<string>): string {
  const without = names.filter((name) => !there.has(name))
  const bound = names.filter((name) => there.has(name))
  return [
    bound.length > 0 ? ` There are connectors named ${bound.join(', ')}.` : '',
    without.length > 0 ? ` No connector is named ${without.join(', ')}: setConnector binds one.` : '',
  ].join('')
}

function namesAt(settings: SettingsInForce, path: string): string[] {
  let value: unknown = settings
  for (const key of path.split('.'))
    value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined
  const given = Array.isArray(value) ? value : [value]
  return given.filter((each): each is string => typeof each === 'string')
}
