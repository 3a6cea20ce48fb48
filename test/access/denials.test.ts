import { expect, test, vi } from 'vitest'
import { codesOf } from '../world/caller.ts'
import { startWorld } from '../world/start-world.ts'

const TRAIL = '{ auditEntries(first: 50) { nodes { actionType actorId summary subject details } } }'

interface Trail {
  auditEntries: {
    nodes: { actionType: string; actorId: string; summary: string; subject: string; details: unknown }[]
  }
}

test('a viewer who tries to start a run is refused, and the administrator reads it in the audit trail', async () => {
  await using world = await startWorld()
  const org = await world.organization()
  const other = await world.organization('another')
  const answer = await org
    .as('viewer')
    .send('mutation { go: startRun(input: { workflowName: "any", input: {} }) { created } }')
  expect([answer.status, codesOf(answer)]).toEqual([403, ['FORBIDDEN']])
  const denialsOf = async (who: typeof org) => {
    const trail = await who.as('admin').query<Trail>(TRAIL)
    return trail.auditEntries.nodes.filter(({ actionType }) => actionType === 'denial')
  }
  await vi.waitFor(async () => expect(await denialsOf(org)).toHaveLength(1), { timeout: 5_000 })
  expect(await denialsOf(org)).toMatchObject([
    {
      actorId: org.actor('viewer').id,
      summary: `Mutation.startRun was refused to ${org.actor('viewer').name}.`,
      subject: 'operation/Mutation.startRun',
      details: { decision: 'denied', outcome: 'FORBIDDEN' },
    },
  ])
  expect(await denialsOf(other)).toEqual([])
})
