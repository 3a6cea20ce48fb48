import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'
import type { Services } from '../context.ts'
import { checkBoardResult } from '../engine/core/index.ts'
import { engineMemoryOf } from '../engine/store/engine-memory.ts'
import { readJson } from '../runs/control/read-json.ts'
import { recordEvents } from '../runs/control/record-events.ts'
import { aboutItem } from './board-item.ts'
import { type Claim, type HeldItem, lockClaim, wakeStep } from './end-claim.ts'

/**
 * Completes a claimed item; the step that posted it goes on with the result. By the same claim again nothing happens. As
 * {@link lockClaim} otherwise, and BAD_INPUT with everything in which the result does not fit what the step declares.
 */
export async function completeBoardItem(
  { database, wake }: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  { output, ...claim }: Claim & { output?: unknown },
): Promise<void> {
  const result = readJson(output, 'input.output')
  const o = actor.organizationId
  const woken = await database.transact(actor, async (client) => {
    const { held, over } = await lockClaim(client, actor, claim)
    if (over) return false
    const { item, step } = held
    if (step) await checkFits(client, database, o, step, result)
    await client.query(
      `update board_item set status = 'completed', output = $3, lease_until = null, ended_at = clock_timestamp()
       where organization_id = $1 and id = $2`,
      [o, item.id, JSON.stringify(result)],
    )
    const { subject, data } = aboutItem(item)
    await recordEvents(client, actor, [
      { type: 'board.completed', subject, data: { ...data, fence: item.fence } },
    ])
    if (step) await wakeStep(client, actor, step, { type: 'wait_over', node: step.node, payload: result })
    return step !== undefined
  })
  database.announce()
  if (woken) wake()
}

async function checkFits(
  client: pg.PoolClient,
  database: Services['database'],
  organizationId: string,
  { versionId, node }: NonNullable<HeldItem['step']>,
  result: unknown,
): Promise<void> {
  const known = await engineMemoryOf(database).definitions.get(client, [{ organizationId, id: versionId }])
  const definition = known.get(versionId)
  const problems = definition ? checkBoardResult(definition, node, result) : []
  if (problems.length === 0) return
  fail('BAD_INPUT', {
    path: 'input.output',
    message: 'The result does not fit what the step declares.',
    problems: problems.map(({ path, message }) => ({
      code: 'SCHEMA',
      message,
      path: path === '' ? 'input.output' : `input.output.${path}`,
    })),
  })
}
