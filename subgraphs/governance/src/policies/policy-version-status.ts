import type { Actor } from '@tutti/schema'
import type { ActorRef } from '../access/actor-ref.ts'
import { behind } from '../access/behind.ts'
import type { Effect } from './compile-policies.ts'

/**
 * draft → in_review → scheduled → active → retired; a review may end in rejected, and a newer draft ends one in the making.
 * One whose time has come, or is over, is so by its dates: `active` in the table is what was approved and not taken back.
 */
export type VersionStatus = 'draft' | 'in_review' | 'scheduled' | 'active' | 'rejected' | 'retired'

export const canSubmit = (status: VersionStatus): boolean => status === 'draft'
export const canReview = (status: VersionStatus): boolean => status === 'in_review'
/** It was approved, and is in force or will be. */
export const isApproved = (status: VersionStatus): boolean => status === 'active' || status === 'scheduled'
/** It was approved, and keeps or will keep somebody from something: one who ends it alone could do what others were to be asked about. */
export const isBinding = ({ status, effect }: { status: VersionStatus; effect: Effect }): boolean =>
  isApproved(status) && effect !== 'allow'
/** It is being written or reviewed. */
export const isOpen = (status: VersionStatus): boolean => status === 'draft' || status === 'in_review'

/** It holds, or may come to hold: an exception from it means something. */
export const canExcept = ({ status, retires }: { status: VersionStatus; retires: boolean }): boolean =>
  !retires && (isApproved(status) || isOpen(status))

/** Whether an actor is, acts for, or has the key of whom a row names: nobody decides on what is their own. */
export function isSame(actor: Actor, ref: ActorRef | null): boolean {
  if (ref === null) return false
  return behind(actor).includes(ref.id) || (ref.agentId !== undefined && ref.agentId === actor.agentId)
}
