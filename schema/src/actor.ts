import { z } from 'zod'
import { ROLES, SCOPES } from './roles.ts'

/** Whoever calls: a person, an agent, an integration, or the platform itself. */
export const actorSchema = z.object({
  organizationId: z.uuid(),
  /** Stable id of the caller inside its organization. */
  id: z.string().min(1),
  kind: z.enum(['person', 'agent', 'integration', 'system']),
  name: z.string(),
  roles: z.array(z.enum(ROLES)),
  scopes: z.array(z.enum(SCOPES)),
  /** The API key or token the call came with. */
  credentialId: z.string().optional(),
  /** Of an API key: who else had a hand in making it, by id; absent: nobody, or it is not known. */
  credentialBy: z.array(z.string().min(1)).optional(),
  /** Set when the caller is a registered agent. */
  agentId: z.string().optional(),
  /** The person or agent for whom it acts. */
  onBehalfOf: z.object({ id: z.string().min(1), kind: z.string().min(1) }).optional(),
  /** When the credential ends, milliseconds since the epoch. */
  expiresAt: z.number().optional(),
  /** When some of what it may do ends, milliseconds since the epoch: who it is has to be asked anew. */
  validUntil: z.number().optional(),
  /** What it may do for a time only, and until when, milliseconds since the epoch; the rest does not end by itself. */
  ending: z.array(z.object({ until: z.number(), scopes: z.array(z.enum(SCOPES)) })).optional(),
  /** What it may do in one domain or team only; not in `scopes`. See `mayIn`. */
  within: z
    .array(
      z.object({
        domainId: z.string().nullable(),
        teamId: z.string().nullable(),
        scopes: z.array(z.enum(SCOPES)),
      }),
    )
    .optional(),
})

/** A verified caller; the tenant is always `organizationId` of this, never an argument. */
export type Actor = z.infer<typeof actorSchema>

/** The platform acting for an organization: reconciler, consumers, schedules. */
export function systemActor(organizationId: string, name: string): Actor {
  return { organizationId, id: `system:${name}`, kind: 'system', name, roles: [], scopes: [...SCOPES] }
}
