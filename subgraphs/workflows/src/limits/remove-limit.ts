import { isId } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { LIMIT_COLUMNS, type LimitRow, type LimitSource } from './limit-rule.ts'
import { limitsChanged } from './limits-changed.ts'

const ORIGINS: Readonly<Record<Exclude<LimitSource, 'api'>, string>> = {
  settings: 'It comes from the settings: apply them without it.',
  definition: 'It comes from a workflow’s definition: apply the workflow without its concurrency.',
  instances: 'It comes from the agent’s instances: scale the agent.',
}

/**
 * Removes a limit that was set by `setLimit`; answers with it as it was. NOT_FOUND; INVALID_STATE for one that comes from
 * the settings, a definition or an agent's instances.
 */
export async function removeLimit(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  id: string,
): Promise<LimitRow> {
  if (!isId(id)) fail('NOT_FOUND', { path: 'input.id' })
  const removed = await services.database.inTenant(actor, async (tx) => {
    const [row] = await tx.sql<LimitRow>(
      `select ${LIMIT_COLUMNS} from engine_limit where organization_id = $1::uuid and id = $2::uuid for update`,
      actor.organizationId,
      id,
    )
    if (!row) return fail('NOT_FOUND', { path: 'input.id' })
    if (row.source !== 'api') return fail('INVALID_STATE', { path: 'input.id', message: ORIGINS[row.source] })
    await tx.sql(
      'delete from engine_limit where organization_id = $1::uuid and id = $2::uuid',
      actor.organizationId,
      id,
    )
    const data = { limitId: id, name: row.name, change: 'removed' } as const
    await tx.appendEvent({ type: 'limit.changed', subject: `limit/${id}`, data })
    return row
  })
  await limitsChanged(services, actor)
  return removed
}
