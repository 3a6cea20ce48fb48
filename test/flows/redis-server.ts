import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { freePort } from '@tutti/standalone'

/** Whether tests on Redis run: a server is installed, or its absence has to be red (TUTTI_REQUIRE_REDIS=1). */
export const runsOnRedis: boolean =
  process.env['TUTTI_REQUIRE_REDIS'] === '1' || spawnSync('redis-server', ['--version']).status === 0

/** Starts an empty Redis on a free port of 127.0.0.1 that keeps nothing. */
export async function startRedis(): Promise<{ url: string } & AsyncDisposable> {
  const port = await freePort()
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(server, 'spawn')
  let said = ''
  for await (const text of server.stdout.iterator({ destroyOnReturn: false })) {
    said += String(text)
    if (said.includes('Ready to accept')) break
  }
  if (server.exitCode !== null) throw new Error(`redis-server ended:\n${said}`)
  server.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null) return
      server.kill()
      await once(server, 'exit')
    },
  }
}
