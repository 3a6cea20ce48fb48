import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Whether tests that need Redis run here; where TUTTI_REQUIRE_REDIS is 1 they must. */
export const hasRedis =
  process.env['TUTTI_REQUIRE_REDIS'] === '1' || spawnSync('redis-server', ['--version']).status === 0

/** A Redis of its own on a free port, which keeps nothing; its end ends it. */
export async function startRedis(): Promise<{ url: string } & AsyncDisposable> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  const port = typeof address === 'object' && address ? address.port : 0
  probe.close()
  await once(probe, 'close')
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const text of server.stdout.iterator({ destroyOnReturn: false })) {
    said += String(text)
    if (said.includes('Ready to accept')) break
  }
  server.stdout.resume()
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null || server.signalCode !== null) return
      server.kill()
      await once(server, 'exit')
    },
  }
}
