import { randomInt } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'

/** Below those that systems give to connections going out: such a one could take a port before its server listens. */
const FIRST = 20_000
const LAST = 32_000
const TRIES = 20

/** A port nobody listens on at 127.0.0.1 at this moment; another program may be quicker than you to take it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(FIRST, LAST)
    if (await isFree(port, '127.0.0.1')) return port
  }
  const { port } = await bind(0, '127.0.0.1')
  return port
}

/** True when nobody listens on this port of this host. Throws for a host that is not this machine's. */
export async function isFree(port: number, host: string): Promise<boolean> {
  try {
    await bind(port, host)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false
    throw error
  }
}

async function bind(port: number, host: string): Promise<AddressInfo> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  if (address === null || typeof address === 'string') throw new Error('not a TCP port')
  return address
}
