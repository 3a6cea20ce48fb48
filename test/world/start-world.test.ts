import { ROLES } from '@tutti/schema'
import { expect, test } from 'vitest'
import { openCaller } from './caller.ts'
import { startWorld } from './start-world.ts'

const AGENT = `
metadata: { name: reader, type: service.sentiment, version: 1.0.0 }
executor: { type: builtin, function: sentiment }
`
const WORKFLOW = `
name: read
inputs: [message]
steps:
  - { name: read_it, agent: reader, input: message, output: mood }
`

test('a whole platform in one process: a message goes in at the door and a worker reads it', async () => {
  await using world = await startWorld({ workers: true })
  const org = await world.organization()
  const operator = org.as('operator')
  await operator.query('mutation($d: String!) { registerAgent(input: { document: $d }) { changed } }', {
    d: AGENT,
  })
  await operator.query('mutation($d: String!) { applyWorkflow(input: { document: $d }) { changed } }', {
    d: WORKFLOW,
  })
  // A feed from the beginning misses nothing, whenever it is opened.
  const events = org
    .as('viewer')
    .subscribe('subscription($after: String) { runEvents(after: $after) { type } }', {
      after: '0'.repeat(13),
    })
  await operator.query(
    'mutation { startRun(input: { workflowName: "read", input: { message: "I love it" } }) { created } }',
  )
  const types: unknown[] = []
  for await (const { data } of events) {
    const { type } = (data?.['runEvents'] ?? {}) as { type?: string }
    types.push(type)
    if (type !== 'run.started') break
  }
  expect(types).toEqual(['run.started', 'run.completed'])
})

test('an organization has somebody for each role, known at the door by a key', async () => {
  await using world = await startWorld()
  const org = await world.organization('one')
  for (const role of ROLES) {
    const { viewer } = await org.as(role).query<{ viewer: unknown }>('{ viewer { id name kind roles } }')
    const { id, name } = org.actor(role)
    expect(viewer).toEqual({ id, name, kind: role === 'agent' ? 'agent' : 'person', roles: [role] })
  }
  const nobody = await openCaller(world.url, null).send('{ viewer { id } }')
  expect(nobody.status).toBe(401)
})
