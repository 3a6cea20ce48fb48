import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { egressFetch, type FetchRules } from './egress-fetch.ts'
import { openEgress } from './open-egress.ts'

async function listen(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** What it hears is kept in the order in which it heard it. */
function rules(origin: string, heard: string[] = []): FetchRules {
  return {
    origin,
    headers: { authorization: 'Bearer secret' },
    most: 1_000,
    onRequest: () => void heard.push('request'),
    onAnswer: ({ statusCode }) => void heard.push(String(statusCode)),
    onProblem: ({ code }) => void heard.push(code),
    onEnd: (whole) => void heard.push(whole ? 'end' : 'broken'),
  }
}

test('its headers go to its origin and nowhere else', async () => {
  await using server = await listen((request, response) =>
    response.end(request.headers.authorization ?? 'none'),
  )
  await using egress = openEgress({ allowLocal: true })
  const heard: string[] = []
  expect(await (await egressFetch(egress, rules(server.url, heard))(`${server.url}/x`)).text()).toBe(
    'Bearer secret',
  )
  expect(await (await egressFetch(egress, rules('https://other.example'))(server.url)).text()).toBe('none')
  expect(heard).toEqual(['request', '200', 'end'])
})

test('a redirect is refused', async () => {
  await using server = await listen((_, response) =>
    response.writeHead(307, { location: '/elsewhere' }).end(),
  )
  await using egress = openEgress({ allowLocal: true })
  const heard: string[] = []
  await expect(egressFetch(egress, rules(server.url, heard))(server.url)).rejects.toThrow('307')
  expect(heard).toEqual(['request', 'AGENT_REFUSED'])
})

test('an address that agents may not have is not called', async () => {
  let calls = 0
  await using server = await listen((_, response) => void response.end(String((calls += 1))))
  await using strict = openEgress({
    allowLocal: false,
    resolve: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  })
  for (const url of [server.url, 'https://internal.example']) {
    const heard: string[] = []
    await expect(egressFetch(strict, rules(url, heard))(url)).rejects.toThrow(/https|public/)
    expect(heard).toEqual(['request', 'AGENT_ADDRESS_REFUSED'])
  }
  expect(calls).toBe(0)
})

test('too long an answer is broken off; a stream may go on as long as no event is too long', async () => {
  await using server = await listen((request, response) => {
    const isStream = request.url !== '/long'
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'text/plain' })
    const event = request.url === '/event' ? 'x'.repeat(1_100) : 'x'.repeat(300)
    let left = 10
    const write = (): void => {
      left -= 1
      response.write(isStream ? `data: ${event}\n\n` : event, () =>
        left > 0 ? setImmediate(write) : response.end(),
      )
    }
    write()
  })
  await using egress = openEgress({ allowLocal: true })
  const read = async (path: string) => {
    const heard: string[] = []
    const answer = await egressFetch(egress, rules(server.url, heard))(`${server.url}${path}`)
    const text = await answer.text().catch(() => undefined)
    return { length: text?.length, heard }
  }
  const tooLong = { length: undefined, heard: ['request', '200', 'AGENT_ANSWER_TOO_LARGE', 'broken'] }
  expect(await read('/long')).toEqual(tooLong)
  expect(await read('/event')).toEqual(tooLong)
  expect(await read('/stream')).toEqual({ length: 3_080, heard: ['request', '200', 'end'] })
})
