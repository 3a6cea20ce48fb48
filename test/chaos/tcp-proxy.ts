import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way through which connections can be cut. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Resets every connection (RST, not FIN); answers with how many there were. */
  reset(): number
  /**
   * On every connection: what the client sends next still reaches the server, whose next answer is thrown away and the
   * connection reset. The server has done what the client believes undone.
   */
  loseReplies(): number
  /** Passes nothing on for so many milliseconds, and then everything; answers with the connections there are. */
  stall(ms: number): number
}

interface Pair {
  client: Socket
  server: Socket
  /** Set: the client's next bytes arm it; the server's next bytes are then lost. */
  losing: 'no' | 'armed' | 'asked'
}

/** Listens on a free port of 127.0.0.1 and passes everything on to another of its ports. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let stalled: NodeJS.Timeout | undefined

  function resume(): void {
    stalled = undefined
    for (const { client, server } of pairs) for (const socket of [client, server]) socket.resume()
  }

  function end(pair: Pair): void {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.resetAndDestroy()
  }

  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true, allowHalfOpen: true })
    const pair: Pair = { client, server, losing: 'no' }
    pairs.add(pair)
    client.on('data', (bytes) => {
      if (pair.losing === 'armed') pair.losing = 'asked'
      if (!server.write(bytes)) client.pause()
    })
    server.on('data', (bytes) => {
      if (pair.losing === 'asked') return end(pair)
      if (!client.write(bytes)) server.pause()
    })
    client.on('drain', () => stalled ?? server.resume())
    server.on('drain', () => stalled ?? client.resume())
    client.on('end', () => server.end())
    server.on('end', () => client.end())
    // A side that broke takes the other with it; who closed in order has told the other already.
    for (const socket of [client, server]) {
      socket.on('error', () => end(pair))
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) pairs.delete(pair)
      })
      if (stalled) socket.pause()
    }
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo

  return {
    port,
    reset() {
      const all = [...pairs]
      for (const pair of all) end(pair)
      return all.length
    },
    loseReplies() {
      for (const pair of pairs) pair.losing = 'armed'
      return pairs.size
    },
    stall(ms) {
      clearTimeout(stalled)
      stalled = setTimeout(resume, ms)
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.pause()
      return pairs.size
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(stalled)
      for (const pair of pairs) end(pair)
      listener.close()
      await once(listener, 'close')
    },
  }
}
