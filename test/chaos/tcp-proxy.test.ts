import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const cleanup: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of cleanup.splice(0).reverse()) await stop()
})

/** A server that answers every message with itself, and what it has heard. */
async function echo(): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      heard.push(String(bytes))
      socket.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, heard }
}

async function client(proxy: TcpProxy): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1')
  await once(socket, 'connect')
  cleanup.push(() => socket.destroy())
  return socket
}

async function ask(socket: Socket, message: string): Promise<string> {
  socket.write(message)
  const [answer] = await once(socket, 'data')
  return String(answer)
}

async function open(): Promise<{ proxy: TcpProxy; heard: string[] }> {
  const { port, heard } = await echo()
  const proxy = await startTcpProxy(port)
  cleanup.push(() => proxy[Symbol.asyncDispose]())
  return { proxy, heard }
}

test('what is said passes in both directions', async () => {
  const { proxy } = await open()
  const socket = await client(proxy)
  expect(await ask(socket, 'one')).toBe('one')
  expect(await ask(socket, 'two')).toBe('two')
})

test('a reset breaks the connections of this moment and lets new ones through', async () => {
  const { proxy } = await open()
  const socket = await client(proxy)
  await ask(socket, 'one')
  const broken = once(socket, 'error')
  expect(proxy.reset()).toBe(1)
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
  expect(await ask(await client(proxy), 'again')).toBe('again')
})

test('where replies are lost, the server has heard what the client believes unsaid', async () => {
  const { proxy, heard } = await open()
  const socket = await client(proxy)
  await ask(socket, 'one')
  const broken = once(socket, 'error')
  expect(proxy.loseReplies()).toBe(1)
  socket.write('two')
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
  expect(heard).toEqual(['one', 'two'])
})

test('what is said while it stalls arrives afterwards, in order', async () => {
  const { proxy, heard } = await open()
  const socket = await client(proxy)
  await ask(socket, 'one')
  expect(proxy.stall(100)).toBe(1)
  expect(await ask(socket, 'two')).toBe('two')
  // Through a connection that was opened meanwhile as well.
  proxy.stall(100)
  expect(await ask(await client(proxy), 'three')).toBe('three')
  expect(heard).toEqual(['one', 'two', 'three'])
})
