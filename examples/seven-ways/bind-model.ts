import { randomBytes } from 'node:crypto'

import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { startChatServer } from './servers/chat-server.ts'

const SET_CREDENTIAL = `mutation SetProvider($input: SetCredentialInput!) {
  setCredential(input: $input) { credential { id } }
}`
const SET_MODEL = `mutation SetModel($input: SetModelInput!) { setModel(input: $input) { model { id } } }`
const SET_PRICE = `mutation SetPrice($input: SetModelPriceInput!) { setModelPrice(input: $input) { model { id } } }`
const REMOVE_MODEL = `mutation RemoveModel($input: RemoveModelInput!) { removeModel(input: $input) { model { id } } }`
const DELETE_CREDENTIAL = `mutation DeleteCredential($input: DeleteCredentialInput!) {
  deleteCredential(input: $input) { id }
}`

/**
 * Starts a server that speaks OpenAI's chat completions and makes it a provider of the organization's own, with one
 * model and its price. All of it is gone when disposed of.
 */
export async function bindModel(door: Door): Promise<{ readonly name: string } & AsyncDisposable> {
  await using building = new AsyncDisposableStack()
  const key = randomBytes(16).toString('hex')
  const provider = `seven-ways-${randomBytes(4).toString('hex')}`
  const { origin } = building.use(await startChatServer(key))
  const { setCredential } = await ask<{ setCredential: { credential: { id: string } } }>(
    door,
    SET_CREDENTIAL,
    {
      input: { name: `provider/${provider}`, provider, value: key, origins: [origin] },
    },
  )
  building.defer(async () => {
    await ask(door, DELETE_CREDENTIAL, { input: { id: setCredential.credential.id } })
  })
  const { setModel } = await ask<{ setModel: { model: { id: string } } }>(door, SET_MODEL, {
    input: { provider, name: 'few-words', contextTokens: 8_000, maxOutputTokens: 2_000 },
  })
  building.defer(async () => {
    await ask(door, REMOVE_MODEL, { input: { id: setModel.model.id } })
  })
  await ask(door, SET_PRICE, { input: { modelId: setModel.model.id, inputUsd: 0.5, outputUsd: 1.5 } })
  const bound = building.move()
  return { name: setModel.model.id, [Symbol.asyncDispose]: () => bound.disposeAsync() }
}
