import { ACTIONS, type GovernedAction } from '@tutti/schema'
import type { Resolvers } from '../../generated/resolvers.ts'
import { upper } from '../extensions/upper.ts'
import { mayI } from './may-i.ts'
import { readAuthority } from './read-authority.ts'
import { setAuthority } from './set-authority.ts'
import { simulatePolicy } from './simulate-policy.ts'
import { whoMayDecide } from './who-may-decide.ts'

const CATALOGUE = Object.entries<GovernedAction>(ACTIONS).map(([name, { description, mutations }]) => ({
  name,
  description,
  mutations: [...(mutations ?? [])],
}))

export const authorityResolvers = {
  Query: {
    actions: () => CATALOGUE,
    authorityMatrix: (_, { version }, context) => readAuthority(context, context.actor, version ?? null),
    whoMayDecide: (_, question, context) => whoMayDecide(context, context.actor, question),
    mayI: (_, question, context) => mayI(context, context.actor, question),
    simulatePolicy: (_, { input }, context) => simulatePolicy(context, context.actor, input),
  },
  Mutation: {
    setAuthority: async (_, { input }, context) => ({
      matrix: await setAuthority(context, context.actor, input),
    }),
  },
  AuthorityMatrix: {
    entries: ({ entries }) => [...entries],
    setBy: ({ setBy }) => setBy?.name ?? null,
  },
  AuthorityEntry: {
    level: ({ level }) => upper(level),
    ruling: ({ ruling }) => upper(ruling),
  },
  RoleAuthority: {
    level: ({ level }) => upper(level),
    ruling: ({ ruling }) => upper(ruling),
  },
  Authorization: {
    ruling: ({ ruling }) => upper(ruling),
    policies: ({ policyVersions }) => policyVersions,
  },
  PolicySay: {
    effect: ({ effect }) => upper(effect),
  },
  RulingChange: {
    from: ({ from }) => upper(from),
    to: ({ to }) => upper(to),
  },
  ChangedDecision: {
    from: ({ from }) => upper(from),
    to: ({ to }) => upper(to),
  },
} satisfies Resolvers
