import { expect, test } from 'vitest'
import { startWorld } from '../world/start-world.ts'
import { hire, post } from './post-office.ts'

test('what a message step says is in its agent’s inbox, once, and among the messages of the run', async () => {
  await using world = await startWorld({ workers: true })
  const org = await world.organization()
  const clerk = await hire(world, org, 'clerk')
  const admin = org.as('admin')
  const document = JSON.stringify({
    format: 'tutti/1',
    name: 'notify',
    inputs: ['order'],
    steps: [{ name: 'tell', type: 'message', to: 'clerk', channel: 'orders', body: '= order' }],
  })
  const { applyWorkflow } = await admin.query<{ applyWorkflow: { workflow: { id: string } } }>(
    'mutation($input: ApplyWorkflowInput!) { applyWorkflow(input: $input) { workflow { id } } }',
    { input: { document } },
  )
  await admin.query('mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }', {
    input: { workflowId: applyWorkflow.workflow.id, input: { order: 'No. 7' } },
  })
  await expect
    .poll(() => post.receive(clerk, { waitSeconds: 2 }), { timeout: 20_000 })
    .toMatchObject([{ body: { channel: 'orders', body: 'No. 7' }, from: null, kind: 'MESSAGE' }])
  await expect
    .poll(
      async () =>
        (
          await admin.query<{ runs: { nodes: object[] } }>(
            '{ runs(first: 1) { nodes { status messages { channel body agent { name } } } } }',
          )
        ).runs.nodes,
      { timeout: 20_000 },
    )
    .toEqual([
      { status: 'COMPLETED', messages: [{ channel: 'orders', body: 'No. 7', agent: { name: 'clerk' } }] },
    ])
  await clerk.close()
})
