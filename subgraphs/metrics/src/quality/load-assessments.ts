import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { ASSESSMENT_COLUMNS, type AssessmentRow } from './assessment-row.ts'

type Reader = { database: Database; actor: Actor }

async function read(
  { database, actor }: Reader,
  column: 'id' | 'task_id' | 'run_id',
  ids: readonly string[],
): Promise<AssessmentRow[]> {
  return database.readTenant<AssessmentRow>(
    actor,
    `select ${ASSESSMENT_COLUMNS} from quality_assessment
     where organization_id = $1::uuid and ${column} = any($2::uuid[]) order by id`,
    [actor.organizationId, ids.filter(isId)],
  )
}

/** Assessments by id, in one read; an id that is not of this organization is left out. */
export async function loadAssessments(
  context: Reader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AssessmentRow>> {
  return new Map((await read(context, 'id', ids)).map((row) => [row.id, row]))
}

/** Assessments by the task they are of, oldest first, in one read. */
export async function loadAssessmentsOfTasks(
  context: Reader,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, AssessmentRow[]>> {
  return Map.groupBy(await read(context, 'task_id', taskIds), ({ taskId }) => taskId ?? '')
}

/** Assessments by the run they are of, oldest first, in one read. */
export async function loadAssessmentsOfRuns(
  context: Reader,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, AssessmentRow[]>> {
  return Map.groupBy(await read(context, 'run_id', runIds), ({ runId }) => runId ?? '')
}
