import type { FastifyInstance } from 'fastify'

/** The public key that checkpoints of the record are signed with, as PEM; null before there is one. Throws when nobody can say. */
export type ReadAuditKey = () => Promise<string | null>

const PATH = '/.well-known/tutti-audit-key'
/** Milliseconds for which an answer is kept, so that strangers cannot make us ask: of a key, and of none yet. */
const KEPT_MS = 60_000
const NONE_KEPT_MS = 1_000

/** Serves the key to anybody: who verifies a record has to have it from elsewhere than the record. */
export function auditKeyRoute(
  app: FastifyInstance,
  read: ReadAuditKey,
  log: { error(details: object, message: string): void },
): void {
  let asked: Promise<string | null> | undefined
  let until = 0

  async function ask(): Promise<string | null> {
    const key = await read()
    until = performance.now() + (key === null ? NONE_KEPT_MS : KEPT_MS)
    return key
  }

  app.get(PATH, async (_request, reply) => {
    if (asked === undefined || performance.now() >= until) {
      until = Infinity
      asked = ask()
    }
    let key: string | null
    try {
      key = await asked
    } catch (error) {
      asked = undefined
      log.error({ err: error }, 'the key of the record could not be read')
      return reply
        .status(503)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('The key cannot be read at the moment.\n')
    }
    if (key === null)
      return reply
        .status(404)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send('There is no key yet: the first checkpoint makes it.\n')
    return reply
      .headers({ 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' })
      .type('application/x-pem-file')
      .send(key)
  })
}
