import type { Context } from '../context.ts'

/** What a run was declared to be worth. */
export interface RunValueRow {
  runId: string
  /** US dollars as a decimal text. */
  valueUsd: string
  note: string | null
  declaredBy: { name: string }
  declaredAt: Date
}

/** Declared values by run. */
export async function loadValues(
  { database, actor }: Context,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, RunValueRow>> {
  const rows = await database.readTenant<RunValueRow>(
    actor,
    `select run_id as "runId", value_usd::text as "valueUsd", note, declared_by as "declaredBy",
       declared_at as "declaredAt"
     from run_value where organization_id = $1 and run_id = any($2::uuid[])`,
    [actor.organizationId, runIds],
  )
  return new Map(rows.map((row) => [row.runId, row]))
}
