import { fail } from '@tutti/schema'
import { Prisma } from '../../generated/client.ts'

type Arguments = { where?: Record<string, unknown>; data?: unknown; create?: unknown }

function stamp(data: unknown, organizationId: string): unknown {
  if (Array.isArray(data)) return data.map((row) => stamp(row, organizationId))
  if (typeof data !== 'object' || data === null) return data
  const given = 'organizationId' in data ? data.organizationId : organizationId
  if (given !== organizationId) fail('INTERNAL', { message: 'A write named another tenant.' })
  return { ...data, organizationId }
}

/**
 * The first of two locks: every Prisma operation is filtered by, and stamped with, the tenant. Row-level security is
 * the second; either holds alone.
 */
export function scoping(organizationId: string) {
  return Prisma.defineExtension({
    name: 'tenant-scoping',
    query: {
      $allModels: {
        async $allOperations({ operation, args, query }) {
          const scoped: Arguments = { ...(args as Arguments) }
          const creates = operation.startsWith('create')
          if (!creates) scoped.where = { ...scoped.where, organizationId }
          if (creates) scoped.data = stamp(scoped.data, organizationId)
          if (operation === 'upsert') scoped.create = stamp(scoped.create, organizationId)
          return query(scoped as typeof args)
        },
      },
    },
  })
}
