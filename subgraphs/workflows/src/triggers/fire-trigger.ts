import { actorRecord } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { FIRING_COLUMNS, type FiringRow } from './firing-row.ts'
import { insertFirings } from './insert-firings.ts'
import { makeFiring } from './make-firing.ts'
import { settleFirings, startFirings, tellLater } from './start-firings.ts'
import { isStorableText, unstorable } from './unstorable.ts'
import { TRIGGER_COLUMNS, type TriggerRow } from './trigger-row.ts'

const inputSchema = z.object({
  id: z.string(),
  payload: z
    .unknown()
    .superRefine((payload, context) => {
      const problem = unstorable(payload)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .optional(),
  idempotencyKey: z
    .string()
    .min(1, 'A key has 1 to 200 characters.')
    .max(200, 'A key has 1 to 200 characters.')
    .refine(isStorableText, 'It holds a NUL character, which cannot be stored.')
    .nullish(),
})

export interface FiredTrigger {
  firing: FiringRow
  /** False when its key had fired it before. */
  created: boolean
}

/**
 * Fires a trigger by hand, paused or not, as who asks; the payload stands for what would fire it. Events: trigger.fired or
 * trigger.failed. NOT_FOUND, BAD_INPUT; why no run could be started is said in the firing.
 */
export async function fireTrigger(
  services: Pick<Services, 'database' | 'wake' | 'log'>,
  actor: Actor,
  input: unknown,
): Promise<FiredTrigger> {
  const { id, payload, idempotencyKey } = parseInput(inputSchema, input)
  const { database } = services
  const { organizationId } = actor
  const noted = await database.transact(actor, async (client) => {
    const found = isId(id)
      ? await client.query<TriggerRow & { now: Date }>(
          `select ${TRIGGER_COLUMNS}, clock_timestamp() as now from trigger t
           where t.organization_id = $1 and t.id = $2 for key share`,
          [organizationId, id],
        )
      : null
    const trigger = found?.rows[0] ?? fail('NOT_FOUND', { path: 'input.id' })
    const fact = trigger.kind === 'schedule' ? trigger.now.toISOString() : (payload ?? null)
    const firingId = uuidv7()
    const made = makeFiring(trigger, fact, `hand:${idempotencyKey ?? firingId}`)
    const fresh = await insertFirings(client, [
      {
        organizationId,
        id: firingId,
        triggerId: id,
        status: made.error === null ? 'pending' : 'failed',
        ...made,
        // The scheduler takes it only if we do not come to it.
        dueAt: new Date(trigger.now.getTime() + 15_000).toISOString(),
        firedBy: actorRecord(actor),
      },
    ])
    return { trigger, firingId, made, created: fresh.has(firingId) }
  })
  const { trigger, firingId, made } = noted
  if (noted.created && made.error === null) {
    const { name, workflowId, priority } = trigger
    const { occurrence, input: runInput } = made
    const firing = { organizationId, id: firingId, triggerId: id, name, workflowId, priority, occurrence }
    const outcomes = await startFirings(services, [
      { ...firing, input: runInput, firedBy: actorRecord(actor), attempts: 0 },
    ])
    tellLater(services, outcomes)
    await database.transact(actor, (client) => settleFirings(client, outcomes))
  }
  database.announce()
  const [firing] = await database.readTenant<FiringRow>(
    actor,
    `select ${FIRING_COLUMNS} from trigger_firing f where f.organization_id = $1 and f.trigger_id = $2 and f.occurrence = $3`,
    [organizationId, id, made.occurrence],
  )
  return { firing: firing ?? fail('NOT_FOUND', { path: 'input.id' }), created: noted.created }
}
