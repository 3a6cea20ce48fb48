import type { Resolvers } from '../../generated/resolvers.ts'
import { upper } from '../extensions/upper.ts'
import { cancelAuditExport } from './cancel-audit-export.ts'
import { exportAudit } from './export-audit.ts'
import { listExports, readExport, readExportPart } from './list-exports.ts'

export const auditExportResolvers = {
  Query: {
    auditExport: (_, { id }, context) => readExport(context, context.actor, id),
    auditExports: (_, page, context) => listExports(context, context.actor, page),
  },
  Mutation: {
    exportAudit: async (_, { input }, context) => ({
      export: await exportAudit(context, context.actor, input),
    }),
    cancelAuditExport: async (_, { input }, context) => ({
      export: await cancelAuditExport(context, context.actor, input),
    }),
  },
  AuditExport: {
    format: ({ format }) => upper(format),
    status: ({ status }) => upper(status),
    from: ({ fromTime }) => fromTime,
    until: ({ untilTime }) => untilTime,
    total: ({ total }) => Number(total),
    done: ({ done }) => Number(done),
    written: ({ written }) => Number(written),
    firstSequence: ({ firstSequence }) => (firstSequence === null ? null : Number(firstSequence)),
    lastSequence: ({ lastSequence }) => (lastSequence === null ? null : Number(lastSequence)),
    content: (row, { part }, context) => readExportPart(context, context.actor, row, part),
  },
} satisfies Resolvers
