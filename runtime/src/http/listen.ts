import type { FastifyInstance } from 'fastify'
import type { Lifecycle } from '../process/lifecycle.ts'

/** Listens, and closes at stop. Returns the port, which differs from the one asked for when that was 0. */
export async function listen(
  app: FastifyInstance,
  { host, port }: { host: string; port: number },
  lifecycle: Lifecycle,
): Promise<number> {
  await app.listen({ host, port })
  lifecycle.onStop(() => app.close())
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}
