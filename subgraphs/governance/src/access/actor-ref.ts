import { actorRecord } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'

/** Whoever did something, as governance's tables keep it. */
export interface ActorRef {
  id: string
  kind: string
  name: string
  /** The agent behind it: who acts for it may not decide for it either. */
  agentId?: string | undefined
}

/** The actor as a row keeps it; `agentId` when it acts for an agent other than itself. */
export function actorRef(actor: Actor, agentId: string | undefined = actor.agentId): ActorRef {
  return { ...actorRecord(actor), ...(agentId === undefined ? {} : { agentId }) }
}
