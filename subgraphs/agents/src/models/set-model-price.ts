import type { Database } from '@tutti/prisma'
import { parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Model } from './model.ts'
import { modelChanged } from './model-changed.ts'
import { readModels } from './read-models.ts'

const usd = z
  .number()
  .min(0)
  .max(1_000_000)
  .refine((value) => Number(value.toFixed(6)) === value, 'At most six decimal places.')

const inputSchema = z.object({
  modelId: z.string(),
  validFrom: z.coerce.date().nullish(),
  inputUsd: usd,
  outputUsd: usd,
  cachedUsd: usd.nullish(),
})

/**
 * Says what a model costs from a date on, instead of the catalogue; the same date again replaces. Events: model.changed.
 * NOT_FOUND, BAD_INPUT.
 */
export async function setModelPrice(
  services: { database: Database },
  actor: Actor,
  request: z.input<typeof inputSchema>,
): Promise<Model> {
  const { modelId, validFrom, inputUsd, outputUsd, cachedUsd } = parseInput(inputSchema, request)
  if (!(await readModels(services, actor)).has(modelId)) fail('NOT_FOUND', { path: 'input.modelId' })
  await services.database.inTenant(actor, async (tx) => {
    await tx.sql(
      `insert into model_price (organization_id, model_id, valid_from, input_usd, output_usd, cached_usd)
       values ($1::uuid, $2, $3::timestamptz, $4::numeric, $5::numeric, $6::numeric)
       on conflict (organization_id, model_id, valid_from) do update set input_usd = excluded.input_usd,
         output_usd = excluded.output_usd, cached_usd = excluded.cached_usd returning id`,
      actor.organizationId,
      modelId,
      validFrom ?? new Date(),
      inputUsd.toFixed(6),
      outputUsd.toFixed(6),
      (cachedUsd ?? inputUsd).toFixed(6),
    )
    await tx.appendEvent(modelChanged(modelId, 'priced'))
  })
  return (await readModels(services, actor)).get(modelId) ?? fail('INTERNAL')
}
