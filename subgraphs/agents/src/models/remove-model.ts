import type { Database } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import type { Model } from './model.ts'
import { modelChanged } from './model-changed.ts'
import { readModels } from './read-models.ts'

/**
 * Takes away what the organization says of a model, its prices too; one of the catalogue is then as it is there. Answers
 * with the model as it was. Events: model.changed. NOT_FOUND where the organization says nothing of it.
 */
export async function removeModel(
  services: { database: Database },
  actor: Actor,
  id: string,
): Promise<Model> {
  const model = (await readModels(services, actor)).get(id)
  if (!model) return fail('NOT_FOUND', { path: 'input.id' })
  const removed = await services.database.inTenant(actor, async (tx) => {
    const rows = [
      ...(await tx.sql(
        'delete from model_price where organization_id = $1::uuid and model_id = $2 returning id',
        actor.organizationId,
        id,
      )),
      ...(await tx.sql(
        'delete from model where organization_id = $1::uuid and id = $2 returning id',
        actor.organizationId,
        id,
      )),
    ]
    if (rows.length > 0) await tx.appendEvent(modelChanged(id, 'removed'))
    return rows
  })
  return removed.length > 0 ? model : fail('NOT_FOUND', { path: 'input.id' })
}
