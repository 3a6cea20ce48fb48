import type { Actor } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'
import { behind } from '../access/behind.ts'

/** draft → in_review → active → retired; a review may end in rejected, and a newer draft ends one in the making. */
export type VersionStatus = 'draft' | 'in_review' | 'active' | 'rejected' | 'retired'

export const canSubmit = (status: VersionStatus): boolean => status === 'draft'
export const canReview = (status: VersionStatus): boolean => status === 'in_review'
/** It is neither in force nor at an end. */
export const isOpen = (status: VersionStatus): boolean => status === 'draft' || status === 'in_review'

/** Whether an actor is, acts for, or has the key of whom a row names: nobody decides on what is their own. */
export function isSame(actor: Actor, ref: ActorRef | null): boolean {
  if (ref === null) return false
  return behind(actor).includes(ref.id) || (ref.agentId !== undefined && ref.agentId === actor.agentId)
}
