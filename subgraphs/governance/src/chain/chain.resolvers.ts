import type { Resolvers } from '../../generated/resolvers.ts'
import { checkpointOf } from './checkpoint.ts'
import { proveEntry } from './prove-entry.ts'
import { readChain } from './read-chain.ts'

export const chainResolvers = {
  Query: {
    auditChain: (_, _args, context) => readChain(context, context.actor),
    auditProof: (_, { id }, context) => proveEntry(context, context.actor, id),
  },
  AuditCheckpoint: {
    firstSequence: ({ firstSequence }) => Number(firstSequence),
    lastSequence: ({ lastSequence }) => Number(lastSequence),
    signature: (row) => checkpointOf(row).signature,
  },
} satisfies Resolvers
