import { z } from 'zod'
import type { Category } from './catalogue.ts'
import type { Scheme } from './verify-call.ts'

const authorization = z.object({ credential: z.string(), header: z.string(), scheme: z.string() }).optional()

/** How a connector is called, as the executors `http` and `mcp` call. */
export const outboundRecord = z.discriminatedUnion('type', [
  z.object({ type: z.literal('http'), url: z.string(), authorization }),
  z.object({
    type: z.literal('mcp'),
    url: z.string().optional(),
    command: z.string().optional(),
    args: z.array(z.string()).optional(),
    tool: z.string().optional(),
    authorization,
  }),
])
export type ConnectorOutbound = z.output<typeof outboundRecord>

/** A connector as it is stored. */
export interface ConnectorRow {
  id: string
  name: string
  category: Category
  outbound: ConnectorOutbound | null
  scheme: Scheme | null
  /** The names of credentials: the secret of its signatures, and the token of its challenges. */
  credential: string | null
  verifyCredential: string | null
  /** Calls from it that are taken in a minute; null: the platform's number. */
  maxPerMinute: number | null
  createdAt: Date
  updatedAt: Date
}

/** The columns of {@link ConnectorRow}. */
export const CONNECTOR_COLUMNS = `id, name, category, outbound, scheme, credential, verify_credential as "verifyCredential",
  max_per_minute as "maxPerMinute",
  created_at as "createdAt", updated_at as "updatedAt"`
