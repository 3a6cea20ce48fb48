import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../testing/open-engine.ts'

let engine: Engine
beforeAll(async () => {
  engine = await openEngine()
})
afterAll(() => engine[Symbol.asyncDispose]())

const WAITING = `
format: tutti/1
name: waiting
steps:
  - name: fan
    type: parallel
    branches: { left: [{ name: ask, type: wait, signal: go }] }
`

/** A word that the core can do nothing with wakes the strand that waits for a signal. */
async function wakeWith(organizationId: string, resume: object): Promise<void> {
  await engine.world.database.pool('worker').query(
    `update strand set status = 'ready', due_at = clock_timestamp(), wait_key = null, fence = fence + 1, resume = $2::jsonb,
       task_id = case when $2::jsonb->>'type' = 'step_entered' then null else task_id end
     where organization_id = $1 and wait_key = 'signal:go'`,
    [organizationId, JSON.stringify(resume)],
  )
}

test.each([
  ['is none for such a step', { type: 'review_decided', node: 'ask', outcome: 'approve' }, 'fan[left]/ask'],
  ['is late', { type: 'task_succeeded', node: 'ask', attempt: 7, output: 1 }, 'fan[left]/ask'],
  ['names a step that there is not', { type: 'step_entered', node: 'nowhere' }, 'fan[left]/'],
])('a word that %s fails its step for all to see, and nothing hangs', async (_what, word, path) => {
  const actor = await engine.organization('alpha')
  await using _worker = engine.work(actor, async () => ({ type: 'succeeded', output: null }))
  const id = await engine.start(actor, WAITING)
  await engine.event(actor, /^task\.waiting$/, ({ data }) => JSON.stringify(data).includes('"signal"'))
  await wakeWith(actor.organizationId, word)
  await engine.event(actor, /^run\.failed$/)
  const { run } = await engine.ask<{ run: { error: { code: string; message: string } } }>(
    actor,
    'query($id: ID!) { run(id: $id) { status error { code message } } }',
    { id },
  )
  expect(run.error.code).toBe('ENGINE_EVENT_IGNORED')
  expect(run.error.message).toContain(`"${word.type}" at "${path}"`)
  expect(await engine.rows(actor, 'select id from strand where organization_id = $1')).toEqual([])
})
