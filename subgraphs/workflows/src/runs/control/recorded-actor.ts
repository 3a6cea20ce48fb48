import { type Actor, actorSchema } from '@tutti/schema'

const recordSchema = actorSchema.pick({ id: true, kind: true, name: true })

/** Who asked for something that is done later, as kept beside it: acts in its tenant, and holds no rights of its own. */
export function recordedActor(organizationId: string, record: unknown): Actor {
  return { organizationId, ...recordSchema.parse(record), roles: [], scopes: [] }
}
