import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'

import { savedTabs } from './saved-tabs.ts'

const BUNDLE = join(import.meta.dirname, '../../generated/graphiql')
const OPERATIONS = join(import.meta.dirname, 'operations')
const TYPES: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ttf': 'font/ttf',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}
/** Nothing from elsewhere: the page holds a key in its headers editor. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; worker-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

/**
 * Offers GraphiQL from the bundle `npm run generate` made, with the saved operations as its first tabs. Null when
 * there is no bundle: then a browser gets what any client gets.
 */
export function graphiqlPage(app: FastifyInstance): ((reply: FastifyReply) => FastifyReply) | null {
  if (!existsSync(join(BUNDLE, 'index.html'))) return null
  const files = new Set(readdirSync(BUNDLE).filter((file) => extname(file) in TYPES))
  app.get<{ Params: { file: string } }>('/graphql/assets/:file', async (request, reply) => {
    const { file } = request.params
    if (!files.has(file)) return reply.status(404).send()
    return reply
      .header('content-type', TYPES[extname(file)])
      .header('cache-control', 'public, max-age=31536000, immutable')
      .header('x-content-type-options', 'nosniff')
      .send(readFileSync(join(BUNDLE, file)))
  })

  const tabs = JSON.stringify(savedTabs(OPERATIONS)).replaceAll('<', '\\u003c')
  const page = readFileSync(join(BUNDLE, 'index.html'), 'utf8').replace(
    'id="tabs">[]<',
    () => `id="tabs">${tabs}<`,
  )
  return (reply) =>
    reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', POLICY)
      .header('cache-control', 'no-cache')
      .send(page)
}
