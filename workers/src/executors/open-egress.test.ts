import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { expect, test } from 'vitest'
import { AddressRefused, openEgress, type Resolve } from './open-egress.ts'

/** A name server that answers with the next of these each time. */
function answering(...answers: string[][]) {
  const asked: string[] = []
  const resolve: Resolve = (hostname, _options, done) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(hostname)
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { asked, resolve }
}

test.each([
  ['this machine', ['127.0.0.1']],
  ['this machine, wrapped', ['::ffff:127.0.0.1']],
  ['the cloud’s metadata', ['169.254.169.254']],
  ['a public address and a private one', ['8.8.8.8', '10.0.0.1']],
])('a name that leads to %s is not connected to', async (_, addresses) => {
  const { resolve } = answering(addresses)
  await using egress = openEgress({ allowLocal: false, resolve })
  await expect(
    request('https://metadata.example/', { dispatcher: egress.dispatcher }),
  ).rejects.toBeInstanceOf(AddressRefused)
})

test('a name is asked once a connection, and that very address is connected to', async () => {
  const server = createServer((_request, response) => response.end('here'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  // Whoever answers differently the second time is never asked a second time.
  const { asked, resolve } = answering(['127.0.0.1'], ['203.0.113.1'])
  {
    await using egress = openEgress({ allowLocal: true, resolve })
    const { body } = await request(`http://rebinding.example:${port}/`, { dispatcher: egress.dispatcher })
    expect(await body.text()).toBe('here')
    expect(asked).toEqual(['rebinding.example'])
  }
  server.close()
})

test('a name that led to a public address and then leads here is refused at its next connection', async () => {
  const { resolve } = answering(['192.0.2.1'], ['127.0.0.1'])
  await using egress = openEgress({ allowLocal: false, resolve })
  for (let i = 0; i < 2; i++) {
    await expect(
      request('https://rebinding.example/', { dispatcher: egress.dispatcher }),
    ).rejects.toBeInstanceOf(AddressRefused)
  }
})

test('a name without an address is an error, not a way around', async () => {
  await using egress = openEgress({ allowLocal: false, resolve: answering([]).resolve })
  await expect(request('https://nowhere.example/', { dispatcher: egress.dispatcher })).rejects.toMatchObject({
    code: 'ENOTFOUND',
  })
})
