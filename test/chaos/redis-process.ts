import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { freePort } from '@tutti/standalone'

/** A Redis that can be killed and comes back on the same port, empty. */
export interface RedisProcess extends AsyncDisposable {
  readonly url: string
  /** SIGKILL; it is started again at once. */
  kill(): Promise<void>
  /** FLUSHALL. */
  flush(): Promise<void>
}

/** Starts one that keeps nothing. */
export async function startRedisProcess(): Promise<RedisProcess> {
  const port = await freePort()
  let server = await launch(port)
  return {
    url: `redis://127.0.0.1:${port}`,
    async kill() {
      await end(server, 'SIGKILL')
      server = await launch(port)
    },
    async flush() {
      const socket = connect(port, '127.0.0.1')
      socket.write('FLUSHALL\r\n')
      const [answer] = await once(socket, 'data')
      socket.destroy()
      if (!String(answer).startsWith('+OK')) throw new Error(`FLUSHALL: ${String(answer)}`)
    },
    [Symbol.asyncDispose]: () => end(server, 'SIGKILL'),
  }
}

async function launch(port: number): Promise<ChildProcess> {
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
  return server
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill(signal)
  await once(server, 'exit')
}
