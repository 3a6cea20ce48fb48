import type { FastifyInstance } from 'fastify'
import type { Lifecycle } from '../process/lifecycle.ts'

/** What a process depends on; throws or answers false when it is not usable. */
export type ReadinessCheck = () => Promise<boolean | void>

/** `/health`: the process lives. `/ready`: it may be given work; names what is missing, never why in detail. */
export function addHealthRoutes(
  app: FastifyInstance,
  lifecycle: Pick<Lifecycle, 'phase'>,
  checks: Record<string, ReadinessCheck> = {},
): void {
  app.get('/health', async () => ({ status: 'ok' }))
  app.get('/ready', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const usable = await check().then(
          (answer) => answer !== false,
          () => false,
        )
        return [name, usable] as const
      }),
    )
    const ready = lifecycle.phase === 'ready' && results.every(([, usable]) => usable)
    return reply
      .status(ready ? 200 : 503)
      .send({ status: ready ? 'ready' : lifecycle.phase, checks: Object.fromEntries(results) })
  })
}
