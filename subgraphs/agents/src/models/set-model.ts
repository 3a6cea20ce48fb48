import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import { CATALOGUE } from './catalogue.ts'
import type { Model } from './model.ts'
import { modelChanged } from './model-changed.ts'
import { readModels } from './read-models.ts'

const MOST = 2_000_000_000
const word = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\w.:@-]+$/, 'Letters, digits and . : @ _ - only.')
const count = z.int().min(1).max(MOST).nullish()

const inputSchema = z.object({
  provider: word(100),
  // Servers of one's own call models by paths: `meta-llama/Llama-3.3-70B`.
  name: z
    .string()
    .max(200)
    .regex(/^[\w.:@-]+(\/[\w.:@-]+)*$/, 'Letters, digits and . : @ _ - only, in parts divided by /.'),
  capabilities: z.array(word(100)).max(50).nullish(),
  contextTokens: count,
  maxOutputTokens: count,
  requestsPerMinute: count,
  tokensPerMinute: count,
  quality: z.record(z.string().regex(/^[\w.-]{1,100}$/), z.number().min(0).max(1)).nullish(),
  premium: z.boolean().nullish(),
  status: z.enum(['active', 'disabled']).nullish(),
})

/**
 * Takes a model into use, or says otherwise of one. What is not said is as in the catalogue; a model that is not in it
 * needs its context and its most output. Events: model.changed. BAD_INPUT with every mistake.
 */
export async function setModel(
  services: { database: Database },
  actor: Actor,
  request: Omit<z.input<typeof inputSchema>, 'quality'> & { quality?: unknown },
): Promise<Model> {
  const given = parseInput(inputSchema, request)
  const id = `${given.provider}/${given.name}`
  const known = CATALOGUE.get(id)
  const contextTokens = given.contextTokens ?? known?.contextTokens
  const maxOutputTokens = given.maxOutputTokens ?? known?.maxOutputTokens
  if (contextTokens === undefined || maxOutputTokens === undefined) {
    const missing = [
      ...(contextTokens === undefined ? ['input.contextTokens'] : []),
      ...(maxOutputTokens === undefined ? ['input.maxOutputTokens'] : []),
    ]
    fail('BAD_INPUT', {
      path: missing[0] ?? 'input',
      problems: missing.map((path) => ({
        code: 'missing',
        path,
        message: 'The catalogue does not hold this model: say it.',
      })),
    })
  }
  await services.database.inTenant(actor, async (tx) => {
    await tx.sql(
      `insert into model (organization_id, id, provider, name, capabilities, context_tokens, max_output_tokens,
         requests_per_minute, tokens_per_minute, quality, premium, status)
       values ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)
       on conflict (organization_id, id) do update set capabilities = excluded.capabilities,
         context_tokens = excluded.context_tokens, max_output_tokens = excluded.max_output_tokens,
         requests_per_minute = excluded.requests_per_minute, tokens_per_minute = excluded.tokens_per_minute,
         quality = excluded.quality, premium = excluded.premium, status = excluded.status, updated_at = now()
       returning id`,
      actor.organizationId,
      id,
      given.provider,
      given.name,
      [...(given.capabilities ?? known?.capabilities ?? ['text'])],
      contextTokens,
      maxOutputTokens,
      given.requestsPerMinute ?? null,
      given.tokensPerMinute ?? null,
      JSON.stringify(given.quality ?? {}),
      given.premium ?? known?.premium ?? false,
      given.status ?? 'active',
    )
    await tx.appendEvent(modelChanged(id, 'set'))
  })
  return (await readModels(services, actor)).get(id) ?? fail('INTERNAL')
}
