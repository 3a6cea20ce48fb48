import type { Actor } from '@tutti/schema'
import { fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { VERSION_COLUMNS, type WorkflowVersionRow } from './load-workflows.ts'

/** Versions of one workflow by their numbers, in the order asked. NOT_FOUND with the path of a number it has not. */
export async function loadVersionsByNumber(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  workflowId: string,
  asked: readonly { version: number; path: string }[],
): Promise<WorkflowVersionRow[]> {
  const rows = await database.readTenant<WorkflowVersionRow>(
    actor,
    `select ${VERSION_COLUMNS} from workflow_version v
     where organization_id = $1 and workflow_id = $2 and version = any($3::int[]) and version > 0`,
    [actor.organizationId, workflowId, asked.map(({ version }) => version)],
  )
  return asked.map(
    ({ version, path }) =>
      rows.find((row) => row.version === version) ??
      fail('NOT_FOUND', { path, message: `The workflow has no version ${version}.` }),
  )
}
