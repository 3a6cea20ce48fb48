import { expect, test } from 'vitest'
import { codesOf, openCaller } from '../world/caller.ts'
import { startWorld } from '../world/start-world.ts'

const REGISTER = `mutation($input: RegisterAgentInput!) {
  registerAgent(input: $input) { changed agent { name } }
}`
const DOCUMENT = `
metadata: { name: intent_classifier, type: service.intent, version: 1.0.0 }
executor: { type: builtin, function: intent, settings: { examples: examples.csv } }
`

test('examples of 5 MB come in through the door for who may register, and not for anybody else', async () => {
  await using world = await startWorld()
  const org = await world.organization()
  const line = 'where is the card that I ordered two weeks ago,card_arrival\n'
  const content = `text,label\n${line.repeat(Math.ceil((5 * 1024 * 1024) / line.length))}`
  const input = { document: DOCUMENT, files: [{ name: 'examples.csv', content }] }
  const { registerAgent } = await org.as('operator').query<{ registerAgent: unknown }>(REGISTER, { input })
  expect(registerAgent).toEqual({ changed: true, agent: { name: 'intent_classifier' } })
  const nobody = await openCaller(world.url, null).send(REGISTER, { input })
  expect([nobody.status, codesOf(nobody)]).toEqual([400, ['QUERY_TOO_LARGE']])
})
