import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'

const LIMIT = 1_000

/** Versions are immutable, so one object a version serves the process: conditions are compiled on it once. */
export interface DefinitionCache {
  /** Definitions by version id; reads those it does not have. */
  get(
    client: Pick<pg.ClientBase, 'query'>,
    versions: readonly { organizationId: string; id: string }[],
  ): Promise<Map<string, WorkflowDefinition>>
}

export function createDefinitionCache(): DefinitionCache {
  const known = new Map<string, WorkflowDefinition>()
  return {
    async get(client, versions) {
      const missing = versions.filter(({ id }) => !known.has(id))
      if (missing.length > 0) {
        if (known.size > LIMIT) known.clear()
        const { rows } = await client.query<{ id: string; definition: WorkflowDefinition }>(
          `select id, definition from workflow_version
           where (organization_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
          [missing.map((each) => each.organizationId), missing.map((each) => each.id)],
        )
        for (const row of rows) known.set(row.id, row.definition)
      }
      return new Map(
        versions.flatMap(({ id }) => (known.has(id) ? [[id, known.get(id) as WorkflowDefinition]] : [])),
      )
    },
  }
}
