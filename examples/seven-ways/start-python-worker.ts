import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { InputMistake } from '../input/input-mistake.ts'
import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import { AGENT } from './switch-agent.ts'

const CREATE_KEY = `mutation CreateKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) { secret apiKey { id } }
}`
const REVOKE_KEY = `mutation RevokeKey($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }`

/**
 * Starts `triage.py` with a key of the agent's own, which can do the agent's tasks and no other. When disposed of it gives
 * back what it has, and its key is taken back.
 */
export async function startPythonWorker(door: Door): Promise<AsyncDisposable> {
  await using building = new AsyncDisposableStack()
  const { createApiKey } = await ask<{ createApiKey: { secret: string; apiKey: { id: string } } }>(
    door,
    CREATE_KEY,
    { input: { principalName: AGENT, kind: 'agent', roles: ['agent'] } },
  )
  building.defer(async () => {
    await ask(door, REVOKE_KEY, { input: { id: createApiKey.apiKey.id } })
  })
  // -B: the worker that it imports leaves no compiled file behind.
  const worker = spawn('python3', ['-B', join(import.meta.dirname, 'triage.py')], {
    env: { ...process.env, TUTTI_URL: door.url, TUTTI_API_KEY: createApiKey.secret, POLL_SECONDS: '0.1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  try {
    await once(worker, 'spawn')
  } catch {
    throw new InputMistake('python3 is not on this machine; --way names the others.')
  }
  building.defer(async () => {
    if (worker.exitCode !== null || worker.signalCode !== null) return
    worker.kill('SIGTERM')
    await once(worker, 'exit')
  })
  const started = building.move()
  return { [Symbol.asyncDispose]: () => started.disposeAsync() }
}
