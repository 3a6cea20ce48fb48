import { openTestDatabase, type TestDatabase, testActor } from '@tutti/prisma/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyWorkflow } from './apply-workflow.ts'

let world: TestDatabase

beforeAll(async () => {
  world = await openTestDatabase()
})
afterAll(() => world[Symbol.asyncDispose]())

async function organization() {
  const actor = testActor('admin')
  const { organizationId } = actor
  await world.database.inTenant(actor, async (tx) => {
    await tx.db.organization.create({ data: { organizationId, name: 'o' } })
    for (const [name, retiredAt] of [
      ['writer', null],
      ['former', new Date()],
    ] as const)
      await tx.db.agent.create({
        data: {
          organizationId,
          name,
          type: 'test',
          version: '1',
          capabilities: [`${name}_work`],
          executor: {},
          configuration: {},
          configurationHash: name,
          retiredAt,
        },
      })
  })
  return actor
}

const step = (keys: string) => `name: caller\nsteps:\n  - {name: only, ${keys}}\n`

test('agents, capabilities and workflows that exist may be named, itself among them', async () => {
  const actor = await organization()
  const apply = (document: string) => applyWorkflow(world, actor, document)
  await expect(apply(step('agent: writer'))).resolves.toMatchObject({ version: 1 })
  await expect(apply(step('capability: writer_work'))).resolves.toMatchObject({ version: 2 })
  await expect(apply(step('workflow: caller, wait: false'))).resolves.toMatchObject({ version: 3 })
  await expect(apply('name: other\nsteps:\n  - {name: only, workflow: caller}\n')).resolves.toMatchObject({
    version: 1,
  })
})

test.each([
  ['agent: former', 'unknown_agent'],
  ['capability: former_work', 'unknown_capability'],
  ['workflow: nothing', 'unknown_workflow'],
  ['agent: writer, compensate: {capability: undoing}', 'unknown_capability'],
])('what does not exist, or no longer, is refused: %s', async (keys, code) => {
  const actor = await organization()
  await expect(applyWorkflow(world, actor, step(keys))).rejects.toMatchObject({
    code: 'INVALID_DOCUMENT',
    problems: [{ code, line: 3 }],
  })
})

test("another organization's agents, capabilities and workflows do not exist", async () => {
  const [actor, other] = [await organization(), await organization()]
  await applyWorkflow(world, other, 'name: theirs\nsteps:\n  - {name: only, agent: writer}\n')
  await expect(applyWorkflow(world, actor, step('workflow: theirs'))).rejects.toMatchObject({
    problems: [{ code: 'unknown_workflow' }],
  })
})
