import { lookup as lookupAddress, type LookupAddress, type LookupOptions } from 'node:dns'
import { Agent, type Dispatcher } from 'undici'
import { type McpPool, openMcpPool } from './mcp/open-mcp-pool.ts'
import { isPublicAddress, NOT_PUBLIC } from './refuse-address.ts'

/** A name's addresses; as `dns.lookup` with `all`. */
export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Thrown within a connection's attempt: the name leads to where nobody outside may send us. */
export class AddressRefused extends Error {
  readonly code = 'AGENT_ADDRESS_REFUSED'
}

/** The way out to agents: its own connections, which end with it. */
export interface Egress extends AsyncDisposable {
  readonly allowLocal: boolean
  readonly dispatcher: Dispatcher
  /** Those to MCP servers, commands among them. */
  readonly mcp: McpPool
}

export interface EgressOptions {
  /** Whether this machine's own and private addresses may be called. */
  allowLocal: boolean
  /** `dns.lookup` unless given. */
  resolve?: Resolve
}

/**
 * Opens it. A name is resolved once, by the connection itself, which then goes to exactly the addresses that were
 * checked: a name that answers differently the next moment (DNS rebinding) gains nothing.
 */
export function openEgress({ allowLocal, resolve = lookupAddress }: EgressOptions): Egress {
  const dispatcher = new Agent({
    connect: {
      timeout: 10_000,
      // One public address among several does not make a name public: all have to be.
      lookup(hostname, options, done) {
        resolve(hostname, { ...options, all: true }, (error, addresses) => {
          const [first] = addresses ?? []
          if (error || !first) return done(error ?? notFound(hostname), '', 4)
          if (!allowLocal && !addresses.every(({ address }) => isPublicAddress(address))) {
            return done(new AddressRefused(NOT_PUBLIC), '', 4)
          }
          if (options.all) return done(null, addresses)
          return done(null, first.address, first.family)
        })
      },
    },
    keepAliveTimeout: 4_000,
  })
  const mcp = openMcpPool()
  return {
    allowLocal,
    dispatcher,
    mcp,
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await mcp[Symbol.asyncDispose]()
    },
  }
}

const notFound = (hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
