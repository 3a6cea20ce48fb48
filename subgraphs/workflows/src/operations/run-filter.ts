import { isId, parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import { z } from 'zod'
import { RUN_STATUSES } from '../engine/core/index.ts'
import { type BulkAction, bulkSuitability } from './bulk-action.ts'

const MOST_IDS = 5_000

const filterSchema = z.object({
  workflowId: z.string().nullish(),
  status: z.array(z.enum(RUN_STATUSES)).nullish(),
  createdAfter: z.date().nullish(),
  createdBefore: z.date().nullish(),
  ids: z.array(z.string()).max(MOST_IDS, `At most ${MOST_IDS} ids.`).nullish(),
  errorCode: z.string().max(200).nullish(),
})

/** Which runs: all that is given must fit. Times are ISO 8601, as it is stored. */
export interface RunFilter {
  workflowId?: string
  status?: readonly string[]
  createdAfter?: string
  createdBefore?: string
  ids?: readonly string[]
  errorCode?: string
}

/**
 * Checks a filter. One of nothing is refused: it would be every run there is. Where neither states nor ids are given,
 * the runs are those in a state for the act. BAD_INPUT.
 */
export function readRunFilter(given: unknown, action: BulkAction, path: string): RunFilter {
  const { workflowId, status, createdAfter, createdBefore, ids, errorCode } = parseInput(
    filterSchema,
    given,
    path,
  )
  const filter: RunFilter = {
    ...(workflowId == null ? {} : { workflowId }),
    ...(status == null ? {} : { status }),
    ...(createdAfter == null ? {} : { createdAfter: createdAfter.toISOString() }),
    ...(createdBefore == null ? {} : { createdBefore: createdBefore.toISOString() }),
    ...(ids == null ? {} : { ids: [...new Set(ids)] }),
    ...(errorCode == null ? {} : { errorCode }),
  }
  if (Object.keys(filter).length === 0)
    fail('BAD_INPUT', { path, message: 'A filter of nothing would be every run; say which.' })
  if (filter.errorCode?.includes('\0'))
    fail('BAD_INPUT', { path: `${path}.errorCode`, message: 'Holds a NUL character.' })
  if (filter.status || filter.ids) return filter
  return { ...filter, status: RUN_STATUSES.filter((each) => bulkSuitability(action, each) === 'acts') }
}

/** The condition of a statement over `run`, with the parameters $1 to $7 of {@link filterValues}. */
export const MATCHES = `run.organization_id = $1 and ($2::uuid is null or run.workflow_id = $2)
  and ($3::text[] is null or run.status = any($3)) and ($4::timestamptz is null or run.created_at >= $4)
  and ($5::timestamptz is null or run.created_at < $5) and ($6::uuid[] is null or run.id = any($6))
  and ($7::text is null or run.error->>'code' = $7)`

/** What is no id matches nothing. */
export function filterValues(organizationId: string, filter: RunFilter): unknown[] {
  const { workflowId, status, createdAfter, createdBefore, ids, errorCode } = filter
  const noWorkflow = workflowId !== undefined && !isId(workflowId)
  return [
    organizationId,
    noWorkflow ? null : (workflowId ?? null),
    status ?? null,
    createdAfter ?? null,
    createdBefore ?? null,
    noWorkflow ? [] : (ids?.filter(isId) ?? null),
    errorCode ?? null,
  ]
}
