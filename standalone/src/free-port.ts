import { type AddressInfo, createServer } from 'node:net'

/** A port nobody listens on at 127.0.0.1 at this moment; another program may be quicker than you to take it. */
export async function freePort(): Promise<number> {
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
