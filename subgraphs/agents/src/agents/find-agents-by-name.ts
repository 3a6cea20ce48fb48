import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'

/** What a workflow needs to know of an agent it names. */
export interface NamedAgent {
  id: string
  name: string
  type: string
  status: string
}

/** Agents by name, retired ones too; a name that nobody bears is left out. */
export async function findAgentsByName(
  { database }: { database: Database },
  actor: Actor,
  names: readonly string[],
): Promise<Map<string, NamedAgent>> {
  const rows = await database.readTenant<NamedAgent>(
    actor,
    'select id, name, type, status from agent where organization_id = $1::uuid and name = any($2::text[])',
    [actor.organizationId, names.filter((name) => !name.includes('\0'))],
  )
  return new Map(rows.map((row) => [row.name, row]))
}
