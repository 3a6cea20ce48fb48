import { expect, test } from 'vitest'
import type { ClaimedRow } from './claim-strands.ts'
import { createStrandReader } from './hold-strands.ts'

const row = (more: Partial<ClaimedRow>): ClaimedRow => ({
  organization_id: 'o',
  id: 's',
  fence: 1n,
  run_id: 'run',
  limit_key: null,
  parent_id: null,
  parent_task_id: null,
  compound: null,
  key: null,
  position: null,
  path: '',
  state: {},
  resume: null,
  strand_generation: 0,
  recoveries: 0,
  timed: false,
  ordered: false,
  epoch: 0,
  run_status: 'running',
  run_input: {},
  run_created_at: '2027-01-01T00:00:00.000Z',
  run_priority: 0,
  run_depth: 0,
  parent_strand_id: null,
  workflow_id: 'w',
  workflow_name: 'w',
  version_id: 'v',
  task_id: null,
  node_id: null,
  step_path: null,
  kind: null,
  task_status: null,
  generation: null,
  attempt: null,
  input: null,
  timeout_ms: null,
  agent_id: null,
  agent_name: null,
  created_ms: null,
  ...more,
})

/** Parents `p<n>` at tasks `t<n>`, whose state is their number; runs whose input is their id. */
const database = {
  asked: 0,
  query: async (text: string, [ids]: [string[]]) => {
    database.asked += 1
    const rows = text.includes('from run')
      ? ids.map((id) => ({ id, input: { id } }))
      : ids.map((id) => ({
          id,
          task_id: id.replace('p', 't'),
          state: { n: id },
          parent_id: null,
          parent_task_id: null,
        }))
    return { rows }
  },
}
// The reader asks for rows alone.
const client: Parameters<ReturnType<typeof createStrandReader>['hold']>[0] = Object.assign(
  Object.create(null),
  database,
)

const child = (n: number) =>
  row({ id: `c${n}`, parent_id: `p${n}`, parent_task_id: `t${n}`, compound: 'each' })

test('what is read once is remembered', async () => {
  const reader = createStrandReader()
  await reader.hold(client, [child(1)])
  const before = database.asked
  const [held] = await reader.hold(client, [child(1)])
  expect(held?.outer).toEqual([{ n: 'p1' }])
  expect(database.asked).toBe(before)
})

test('when memory is full and others are read, what was remembered for this very claim is still there', async () => {
  const reader = createStrandReader()
  await reader.hold(client, [child(0)])
  await reader.hold(
    client,
    Array.from({ length: 1_999 }, (_, n) => child(n + 1)),
  )
  const held = await reader.hold(client, [child(0), child(9_999)])
  expect(held.map(({ outer }) => outer)).toEqual([[{ n: 'p0' }], [{ n: 'p9999' }]])
})

test('a large input that was remembered is still there when other runs fill the memory', async () => {
  const reader = createStrandReader()
  const large = row({ run_id: 'large', run_input: null })
  await reader.hold(client, [large])
  await reader.hold(
    client,
    Array.from({ length: 4_999 }, (_, n) => row({ run_id: `r${n}` })),
  )
  const held = await reader.hold(client, [row({ run_id: 'one more' }), large])
  expect(held[1]?.run.input).toEqual({ id: 'large' })
})
