import { actorSchema } from '@tutti/schema'
import { z } from 'zod'

/** A request of a directory, as the gateway passes it on; who makes it has been identified. */
export const scimCallSchema = z.object({
  actor: actorSchema,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** What follows `/scim/v2/`, as `Users/<id>`. */
  path: z.string(),
  query: z.record(z.string(), z.string()),
  /** The header If-Match of a change, If-None-Match of a question. */
  ifMatch: z.string().nullable(),
  ifNoneMatch: z.string().nullable(),
  /** Null when it is no UTF-8. */
  body: z.string().nullable(),
  /** Where directories find us: `https://tutti.example.com/scim/v2`. */
  base: z.string(),
})
export type ScimCall = z.infer<typeof scimCallSchema>

/** An answer; `body`: null for none. */
export interface ScimAnswer {
  status: number
  headers: Record<string, string>
  body: Record<string, unknown> | null
}
