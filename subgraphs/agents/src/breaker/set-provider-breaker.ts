import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { breakerInMs, breakerInput } from './breaker-settings.ts'
import type { BreakerSettings } from './breaker-state.ts'
import { ANY_PROVIDER, breakerOfProvider, providerName, readProviderBreakers } from './provider-breakers.ts'

/** Providers of which an organization may say something. */
const MOST_PROVIDERS = 100

const inputSchema = z.object({
  provider: z.string().regex(providerName, 'A provider, as models name it: openai.').nullish(),
  breaker: breakerInput.nullish(),
})

/**
 * Says when the breaker of a provider of models opens and for how long, or that of all of which nothing else is said; it takes
 * the place of what was said before, and without `breaker` nothing is said any more. The answer is what is in force.
 * BAD_INPUT with every mistake. Events: reliability.changed.
 */
export async function setProviderBreaker(
  { database }: { database: Database },
  actor: Actor,
  request: z.input<typeof inputSchema>,
): Promise<BreakerSettings> {
  const { provider, breaker } = parseInput(inputSchema, request)
  const key = provider ?? ANY_PROVIDER
  await database.inTenant(actor, async (tx) => {
    const said = breaker ? JSON.stringify({ [key]: breakerInMs(breaker) }) : '{}'
    const [row] = await tx.sql<{ count: number }>(
      `insert into reliability_settings (organization_id, id, settings)
       values ($1::uuid, $1::uuid, jsonb_build_object('providers', $3::jsonb))
       on conflict (organization_id, id) do update set updated_at = now(),
         settings = reliability_settings.settings || jsonb_build_object('providers',
           coalesce(reliability_settings.settings->'providers', '{}') - $2::text || $3::jsonb)
       returning (select count(*)::int from jsonb_object_keys(settings->'providers')) as count`,
      actor.organizationId,
      key,
      said,
    )
    if ((row?.count ?? 0) > MOST_PROVIDERS)
      fail('BAD_INPUT', {
        path: 'input.provider',
        message: `Something is said of ${MOST_PROVIDERS} providers already.`,
      })
    await tx.appendEvent({
      type: 'reliability.changed',
      subject: `provider/${key}`,
      data: { agentId: null, provider: key },
    })
  })
  return readProviderBreaker({ database }, actor, provider ?? null)
}

/** The numbers in force for a provider; null: for all of which nothing else is said. */
export async function readProviderBreaker(
  { database }: { database: Database },
  actor: Actor,
  provider: string | null,
): Promise<BreakerSettings> {
  return breakerOfProvider(await readProviderBreakers({ database }, actor), provider ?? ANY_PROVIDER)
}
