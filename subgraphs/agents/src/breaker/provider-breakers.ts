import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { z } from 'zod'
import { storedBreaker } from './breaker-settings.ts'
import { type BreakerSettings, DEFAULT_BREAKER } from './breaker-state.ts'

/** Stands for all providers of which nothing else is said. */
export const ANY_PROVIDER = '*'

/** The name of a provider of models. */
export const providerName = /^[\w.:@-]{1,100}$/

const stored = z.record(z.string(), storedBreaker)

/** What an organization says of its providers' breakers, by their names. */
export type ProviderBreakers = z.output<typeof stored>

/** Of an organization, as it is stored now. */
export async function readProviderBreakers(
  { database }: { database: Pick<Database, 'readTenant'> },
  actor: Actor,
): Promise<ProviderBreakers> {
  const [row] = await database.readTenant<{ providers: unknown }>(
    actor,
    `select settings->'providers' as providers from reliability_settings
     where organization_id = $1::uuid and id = $1::uuid and settings ? 'providers'`,
    [actor.organizationId],
  )
  return stored.parse(row?.providers ?? {})
}

/** The numbers in force for a provider: what is said of it, else of any; what is not said there is as by default. */
export function breakerOfProvider(said: ProviderBreakers, provider: string): BreakerSettings {
  const own = Object.hasOwn(said, provider) ? said[provider] : said[ANY_PROVIDER]
  return { ...DEFAULT_BREAKER, ...own }
}
