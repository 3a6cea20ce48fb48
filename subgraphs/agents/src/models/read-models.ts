import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { CATALOGUE } from './catalogue.ts'
import type { Model, ModelPrice } from './model.ts'

type Row = Omit<Model, 'builtIn' | 'prices'>
type PriceRow = ModelPrice & { modelId: string }

/**
 * The models as an organization sees them, by id in the order of ids: the catalogue, with what the organization says
 * itself in its place. Its own prices hold from their date on, the catalogue's before.
 */
export async function readModels(
  { database }: { database: Database },
  actor: Actor,
): Promise<ReadonlyMap<string, Model>> {
  const [read] = await database.readTenant<{
    models: Row[] | null
    prices: (PriceRow & { validFrom: string })[] | null
  }>(
    actor,
    `select
       (select json_agg(json_build_object('id', id, 'provider', provider, 'name', name, 'capabilities', capabilities,
          'contextTokens', context_tokens, 'maxOutputTokens', max_output_tokens,
          'requestsPerMinute', requests_per_minute, 'tokensPerMinute', tokens_per_minute, 'quality', quality,
          'premium', premium, 'status', status)) from model where organization_id = $1::uuid) as models,
       (select json_agg(json_build_object('modelId', model_id, 'validFrom', valid_from, 'inputUsd', input_usd::text,
          'outputUsd', output_usd::text, 'cachedUsd', cached_usd::text) order by valid_from)
        from model_price where organization_id = $1::uuid) as prices`,
    [actor.organizationId],
  )
  const models = new Map(CATALOGUE)
  for (const row of read?.models ?? []) {
    const known = CATALOGUE.get(row.id)
    models.set(row.id, { ...row, builtIn: known !== undefined, prices: known?.prices ?? [] })
  }
  for (const [id, own] of Map.groupBy(read?.prices ?? [], ({ modelId }) => modelId)) {
    const model = models.get(id)
    if (model) models.set(id, { ...model, prices: withOwn(model.prices, own) })
  }
  return new Map([...models].sort(([left], [right]) => (left < right ? -1 : 1)))
}

function withOwn(
  listed: readonly ModelPrice[],
  own: readonly (Omit<ModelPrice, 'validFrom'> & { validFrom: string | Date })[],
): ModelPrice[] {
  const dated = own.map(({ inputUsd, outputUsd, cachedUsd, validFrom }) => ({
    inputUsd,
    outputUsd,
    cachedUsd,
    validFrom: new Date(validFrom),
  }))
  const [first] = dated
  return [...listed.filter(({ validFrom }) => !first || validFrom < first.validFrom), ...dated]
}
