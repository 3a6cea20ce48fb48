import { z } from 'zod'
import type { ReadinessCheck } from '../http/health-routes.ts'
import { listen } from '../http/listen.ts'
import { createLog, type Log } from '../process/create-log.ts'
import { type Lifecycle, runProcess } from '../process/lifecycle.ts'
import { commonEnv, readEnv } from '../process/read-env.ts'
import type { Subgraph } from './define-subgraph.ts'
import { bindSubgraph } from './execute-subgraph.ts'
import { serveSubgraph } from './serve-subgraph.ts'

const environment = { ...commonEnv, PORT: z.coerce.number().int().min(0).max(65_535).default(0) }

/** What a subgraph's process has when it opens its services. */
export interface SubgraphProcess {
  env: z.infer<z.ZodObject<typeof environment>>
  lifecycle: Lifecycle
  log: Log
}

/** What a subgraph's process opens before it serves. */
export interface OpenedServices<Services> {
  services: Services
  checks: Record<string, ReadinessCheck>
  internal?: Record<string, (body: unknown) => Promise<unknown>>
}

/** A subgraph as a process of its own: reads the environment, opens its services, serves until it is told to stop. */
export function runSubgraph<Services>(
  subgraph: Subgraph<Services>,
  open: (process: SubgraphProcess) => Promise<OpenedServices<Services>>,
): void {
  const log = createLog(subgraph.name)
  runProcess(log, async (lifecycle) => {
    const env = readEnv(environment)
    const { services, ...served } = await open({ env, lifecycle, log })
    const app = serveSubgraph({
      subgraph: bindSubgraph(subgraph, services, log),
      secret: env.TUTTI_SECRET,
      lifecycle,
      ...served,
    })
    return { port: await listen(app, { host: env.HOST, port: env.PORT }, lifecycle) }
  })
}
