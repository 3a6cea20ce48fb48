import type { Resolvers } from '../../generated/resolvers.ts'

export const assignmentResolvers: Resolvers = {
  Task: {
    recovery: ({ recovery }) => recovery ?? [],
  },
}

/** The API's names of the stored values. */
export const recoveryActionValues = {
  RESTART: 'restart',
  FAIL_OVER: 'fail_over',
  DEGRADE: 'degrade',
  ESCALATE: 'escalate',
} as const
