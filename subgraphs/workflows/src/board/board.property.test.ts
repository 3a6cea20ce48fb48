import type { Actor } from '@tutti/schema'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../testing/open-engine.ts'
import { claimBoardItems } from './claim-board-items.ts'
import { completeBoardItem } from './complete-board-item.ts'
import { failBoardItem } from './fail-board-item.ts'
import { postToBoard } from './post-to-board.ts'
import { releaseBoardItem } from './release-board-item.ts'
import { renewBoardItems } from './renew-board-items.ts'

let engine: Engine
let services: { database: Engine['world']['database']; wake: () => void }

beforeAll(async () => {
  engine = await openEngine()
  services = { database: engine.world.database, wake: () => undefined }
})
afterAll(() => engine[Symbol.asyncDispose]())

/** What a peer remembers of a claim, true or not by now. */
interface Claimed {
  peer: Actor
  id: string
  fence: number
}

/** The item as it must be. */
interface Expected {
  status: 'open' | 'claimed' | 'completed' | 'failed'
  fence: number
  holder?: string
  output?: number
}

const anyAct = fc.record({
  act: fc.constantFrom('claim', 'claim', 'complete', 'fail', 'release', 'renew', 'lapse'),
  peer: fc.nat(2),
  /** Which of the claims ever made, and by whom it is used now. */
  memory: fc.nat(20),
  mine: fc.boolean(),
})

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown'),
  )

test('however peers claim, lapse, repeat themselves and take what is not theirs, an item has one holder and one end', async () => {
  const actor = await engine.world.organization()
  const peers = [0, 1, 2].map((n): Actor => ({ ...actor, id: `peer-${n}` }))
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(anyAct, { minLength: 3, maxLength: 14 }), async (acts) => {
      const capability = `work-${(round += 1)}`
      const { item } = await postToBoard(services, actor, { capability, input: {} })
      const model: Expected = { status: 'open', fence: 0 }
      const claims: Claimed[] = []
      for (const [turn, { act, peer: n, memory, mine }] of acts.entries()) {
        const peer = peers[n] ?? actor
        if (act === 'lapse') {
          await services.database.transact(actor, (client) =>
            client.query(
              `update board_item set lease_until = clock_timestamp() - interval '1 second' where organization_id = $1 and id = $2 and status = 'claimed'`,
              [actor.organizationId, item.id],
            ),
          )
          if (model.status === 'claimed') Object.assign(model, { status: 'open', holder: undefined })
          continue
        }
        if (act === 'claim') {
          const taken = await claimBoardItems(services, peer, { capabilities: [capability], most: 3 })
          expect(taken.length).toBe(model.status === 'open' ? 1 : 0)
          if (taken.length === 0) continue
          Object.assign(model, { status: 'claimed', fence: model.fence + 1, holder: peer.id })
          claims.push({ peer, id: item.id, fence: model.fence })
          continue
        }
        const remembered = claims[memory % Math.max(1, claims.length)] ?? { peer, id: item.id, fence: 1 }
        const { fence } = remembered
        const who = mine ? remembered.peer : peer
        const claim = { id: item.id, fence }
        const holds = model.status === 'claimed' && model.fence === fence && model.holder === who.id
        const isOver = model.status === 'completed' || model.status === 'failed'
        const ended = isOver && model.fence === fence && model.holder === who.id
        if (act === 'renew') {
          const { lost } = await renewBoardItems(services, who, { claims: [claim], leaseSeconds: 60 })
          expect(lost).toEqual(holds ? [] : [item.id])
          continue
        }
        const work = {
          complete: () => completeBoardItem(services, who, { ...claim, output: turn }),
          fail: () => failBoardItem(services, who, { ...claim, code: 'NO', message: 'No.' }),
          release: () => releaseBoardItem(services, who, claim),
        }[act]
        const code = await codeOf(work())
        if (!holds) {
          expect(code).toBe(ended ? (act === 'release' ? 'INVALID_STATE' : 'done') : 'STALE_LEASE')
          continue
        }
        expect(code).toBe('done')
        if (act === 'complete') Object.assign(model, { status: 'completed', output: turn })
        if (act === 'fail') Object.assign(model, { status: 'failed' })
        if (act === 'release') Object.assign(model, { status: 'open', holder: undefined })
      }
      const [row] = await engine.rows<{ status: string; fence: number; output: number | null }>(
        actor,
        `select case when status = 'claimed' and lease_until <= clock_timestamp() then 'open' else status end as status,
           fence, output from board_item where organization_id = $1 and id = $2`,
        [item.id],
      )
      expect(row).toEqual({ status: model.status, fence: model.fence, output: model.output ?? null })
    }),
    { numRuns: 60 },
  )
})
