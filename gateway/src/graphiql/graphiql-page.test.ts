import { beforeAll, expect, test } from 'vitest'

import { bundleGraphiql, GRAPHIQL_BUNDLE } from '../../scripts/bundle-graphiql.ts'
import { existsSync } from 'node:fs'
import { startTestGateway } from '../../testing/start-test-gateway.ts'

beforeAll(async () => {
  if (!existsSync(GRAPHIQL_BUNDLE.output)) await bundleGraphiql()
})

const BROWSER = { accept: 'text/html,application/xhtml+xml' }

test('a browser gets GraphiQL with the saved operations, all of it from here', async () => {
  await using door = await startTestGateway()
  const response = await fetch(`${door.url}/graphql`, { headers: BROWSER })
  const page = await response.text()
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page).toContain('query RunsWithTasks')
  const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  const own = addresses.filter((address) => !address.startsWith('data:'))
  expect(own.length).toBeGreaterThan(1)
  for (const address of own) {
    expect(address).toMatch(/^\/graphql\/assets\//)
    expect((await fetch(door.url + address)).status).toBe(200)
  }
})

test('nothing else of the disk is served', async () => {
  await using door = await startTestGateway()
  for (const file of ['..%2f..%2fpackage.json', '.stamp', 'index.html', 'nothing.js']) {
    expect((await fetch(`${door.url}/graphql/assets/${file}`)).status).toBe(404)
  }
})

test('in production a browser gets no GraphiQL', async () => {
  await using door = await startTestGateway({ production: true })
  const response = await fetch(`${door.url}/graphql`, { headers: BROWSER })
  expect(response.headers.get('content-type')).not.toContain('html')
})
