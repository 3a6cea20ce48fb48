import type { Context } from '../context.ts'
import { isConnectorName } from './connector-name.ts'
import { z } from 'zod'

/** A name in a configuration that leads nowhere yet. */
export interface WithoutBinding {
  /** Where it stands in the configuration. */
  path: string
  name: string
  hint: string
}

const configuration = z.object({
  triggers: z.array(z.object({ type: z.string(), source: z.string().optional() })).default([]),
  executor: z.object({ type: z.string(), connector: z.string().optional() }).optional(),
})

interface Mention extends Omit<WithoutBinding, 'hint'> {
  way: 'inbound' | 'outbound'
}

/** The names of connectors in an agent's configuration as it is stored. */
function mentionsOf(given: unknown): Mention[] {
  const { triggers, executor } = configuration.parse(given)
  const sources = triggers.flatMap(({ source }, index): Mention[] =>
    source === undefined ? [] : [{ path: `triggers.${index}.source`, name: source, way: 'inbound' }],
  )
  const called = executor?.connector
  return called === undefined
    ? sources
    : [...sources, { path: 'executor.connector', name: called, way: 'outbound' }]
}

/** Which of them have no connector at this moment, each with what to do. */
export async function findUnbound(
  { database, actor }: Pick<Context, 'database' | 'actor'>,
  given: unknown,
): Promise<WithoutBinding[]> {
  const mentions = mentionsOf(given)
  if (mentions.length === 0) return []
  const rows = await database.readTenant<{ name: string; inbound: boolean; outbound: boolean }>(
    actor,
    `select name, scheme is not null as inbound, outbound is not null as outbound from connector
     where organization_id = $1::uuid and name = any($2::text[])`,
    [actor.organizationId, mentions.map(({ name }) => name)],
  )
  return mentions
    .filter(({ name, way }) => !rows.some((row) => row.name === name && row[way]))
    .map(({ path, name, way }) => ({ path, name, hint: hintOf(name, way) }))
}

function hintOf(name: string, way: Mention['way']): string {
  if (!isConnectorName(name))
    return 'No connector can bear this name: small letters, digits and _ - only, as instagram.'
  return way === 'inbound'
    ? `Calls of "${name}" do not come in: setConnector with inbound gives it a path and says how they are verified.`
    : `"${name}" cannot be called: setConnector with http or mcp says how.`
}
