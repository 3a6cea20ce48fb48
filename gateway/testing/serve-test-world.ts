import {
  bindSubgraph,
  CALL_HEADER,
  createLifecycle,
  createLog,
  serveSubgraph,
  signCall,
} from '@tutti/runtime'

import { httpSubgraph } from '../src/subgraph/http-subgraph.ts'
import type { SubgraphEndpoint } from '../src/subgraph/subgraph-endpoint.ts'
import { testSdl } from './compose.ts'
import type { TestWorld } from './test-world.ts'

const SECRET = 'a secret of at least thirty-two bytes'

export interface ServedWorld {
  /** The subgraphs as a gateway in another process sees them. */
  endpoints: SubgraphEndpoint[]
  urls: Record<string, string>
  /** Ends one subgraph's server as a crash would, and starts it again on the same port. */
  crash(name: string): Promise<void>
  revive(name: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Serves the world's subgraphs over HTTP as in production: signed calls, server-sent events. */
export async function serveTestWorld(world: TestWorld): Promise<ServedWorld> {
  const log = createLog('test', 'silent')
  const servers = new Map<string, { port: number; app: ReturnType<typeof serveSubgraph> }>()
  const start = async (name: string, port: number): Promise<number> => {
    const schema = world.schemas[name]
    if (schema === undefined) throw new Error(`no subgraph ${name}`)
    const subgraph = bindSubgraph(
      { name, sdl: testSdl(false)[name] ?? '', schema, context: (_services: null, actor) => ({ actor }) },
      null,
      log,
    )
    const lifecycle = createLifecycle(log)
    lifecycle.ready()
    const app = serveSubgraph({ subgraph, secret: SECRET, lifecycle })
    await app.listen({ host: '127.0.0.1', port })
    const address = app.server.address()
    const listening = typeof address === 'object' && address !== null ? address.port : port
    servers.set(name, { port: listening, app })
    return listening
  }
  const urls: Record<string, string> = {}
  const endpoints: SubgraphEndpoint[] = []
  for (const name of Object.keys(world.schemas)) {
    urls[name] = `http://127.0.0.1:${await start(name, 0)}/graphql`
    endpoints.push(
      httpSubgraph({
        name,
        url: urls[name],
        headersFor: (actor, body) => ({ [CALL_HEADER]: signCall(SECRET, actor, body) }),
      }),
    )
  }
  return {
    endpoints,
    urls,
    async crash(name) {
      const server = servers.get(name)
      server?.app.server.closeAllConnections()
      await server?.app.close()
    },
    async revive(name) {
      await start(name, servers.get(name)?.port ?? 0)
    },
    async [Symbol.asyncDispose]() {
      for (const { app } of servers.values()) await app.close()
    },
  }
}
