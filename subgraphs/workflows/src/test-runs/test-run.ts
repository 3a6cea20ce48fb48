import { isId } from '@tutti/runtime'
import { type Actor, fail, type Problem } from '@tutti/schema'
import type { Services } from '../context.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { engineDefaultsOf } from '../settings/engine-defaults.ts'
import type { FindWorkflow } from './find-subworkflows.ts'
import type { TestResult } from './test-result.ts'
import { readTested, testDefinition } from './test-workflow.ts'

/** What is tested, and how; all but the first four is read by the settings' schema. */
export type TestRunRequest = {
  readonly workflowId?: string | null | undefined
  readonly workflowName?: string | null | undefined
  readonly version?: number | null | undefined
  readonly document?: string | null | undefined
}

/** Which version of which workflow; without a number the published one. */
type Wanted = { readonly id?: string; readonly name?: string; readonly version?: number }

/**
 * Plays a version of a workflow, or a document that was not applied, on a virtual clock. Nothing is written. NOT_FOUND
 * when there is no such workflow or version; INVALID_DOCUMENT and BAD_INPUT list every mistake.
 */
export async function testRun(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  { workflowId, workflowName, version, document, ...settings }: TestRunRequest & object,
): Promise<TestResult> {
  checkTarget({ workflowId, workflowName, version, document })
  const find = (wanted: Wanted) => findDefinition(database, actor, wanted)
  const numbered = version == null ? {} : { version }
  const tested =
    document == null
      ? await find({
          ...(workflowId == null ? { name: workflowName ?? '' } : { id: workflowId }),
          ...numbered,
        })
      : readTested(document, 'input.document')
  if (!tested) return fail('NOT_FOUND', notFound({ workflowId, version }))
  const findSub: FindWorkflow = async (name, fixed) => {
    // A document that was not applied calls itself, not what is published under its name.
    if (document != null && name === tested.name && fixed === undefined) return tested
    return find({ name, ...(fixed === undefined ? {} : { version: fixed }) })
  }
  const { runTimeoutMs, limitsLeftOut } = await findLimits(database, actor)
  const result = await testDefinition(tested, settings, findSub, 'input', runTimeoutMs)
  return { ...result, limitsLeftOut }
}

/** What holds for a real run beside its definition: the settings' limit of its time, and limits that are not played. */
async function findLimits(
  database: Services['database'],
  actor: Actor,
): Promise<{ runTimeoutMs?: number; limitsLeftOut: string[] }> {
  return database.transact(actor, async (client) => {
    const { runTimeoutMs } = await engineDefaultsOf(database).of(client, actor.organizationId)
    const { rows } = await client.query<{ name: string }>(
      `select name from engine_limit where organization_id = $1 and source <> 'definition' order by name, id limit 100`,
      [actor.organizationId],
    )
    return {
      ...(runTimeoutMs === null ? {} : { runTimeoutMs }),
      limitsLeftOut: rows.map(({ name }) => name),
    }
  })
}

function notFound({ workflowId, version }: TestRunRequest): {
  path: string
  message?: string
  hint?: string
} {
  const path = workflowId == null ? 'input.workflowName' : 'input.workflowId'
  if (version == null) return { path, hint: 'A workflow of which no version is published needs a version.' }
  return { path, message: `There is no such workflow, or it has no version ${version}.` }
}

function checkTarget({ workflowId, workflowName, version, document }: TestRunRequest): void {
  const problems: Problem[] = []
  const complain = (name: string, message: string): void =>
    void problems.push({ code: 'BAD_INPUT', message, path: `input.${name}` })
  const given = Object.entries({ workflowId, workflowName, document }).filter(([, value]) => value != null)
  if (given.length !== 1)
    complain(given[1]?.[0] ?? 'workflowId', 'Give one of workflowId, workflowName and document.')
  if (version != null && document != null) complain('version', 'A document has no versions.')
  if (version != null && version < 1) complain('version', 'Versions are 1, 2, 3 ...')
  const [first] = problems
  if (first?.path) fail('BAD_INPUT', { path: first.path, message: first.message, problems })
}

async function findDefinition(
  database: Services['database'],
  actor: Actor,
  { id, name, version }: Wanted,
): Promise<WorkflowDefinition | undefined> {
  // PostgreSQL refuses to compare with NUL, and no name holds one.
  if ((id !== undefined && !isId(id)) || name?.includes('\0')) return undefined
  const [row] = await database.readTenant<{ definition: WorkflowDefinition }>(
    actor,
    `select v.definition from workflow w join workflow_version v
       on v.organization_id = w.organization_id and v.workflow_id = w.id
         and v.version = coalesce($4::int, w.published_version)
     where w.organization_id = $1 and (w.id = $2::uuid or w.name = $3)`,
    [actor.organizationId, id ?? null, name ?? null, version ?? null],
  )
  return row?.definition
}
