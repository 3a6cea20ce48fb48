import type { Obstacle } from '@tutti/governance/domain'

/** The code of the failure that an attempt ends with when something governed was not done. */
export const OBSTACLES: Record<Obstacle, string> = {
  denied: 'ACTION_DENIED',
  rejected: 'ACTION_REJECTED',
  undecided: 'ACTION_UNDECIDED',
  changed: 'ACTION_CHANGED',
}
