import { actorRecord } from '@tutti/prisma'
import { isId, parseInput } from '@tutti/runtime'
import { type Actor, fail } from '@tutti/schema'
import { z } from 'zod'
import type { Services } from '../context.ts'
import { readReason } from '../runs/control/read-reason.ts'

const MOST_USD = 10_000_000

const inputSchema = z.object({
  runId: z.string(),
  valueUsd: z
    .number()
    .min(-MOST_USD)
    .max(MOST_USD)
    .refine((usd) => Number(usd.toFixed(6)) === usd, 'At most six decimal places.'),
  note: z.string().nullish(),
})

/** What a run is worth, US dollars, and why. */
export type ValueRequest = z.input<typeof inputSchema>

/** Says what a run is worth; what was said before is replaced. Events: run.value_declared. NOT_FOUND, BAD_INPUT. */
export async function declareValue(
  { database }: Pick<Services, 'database'>,
  actor: Actor,
  request: ValueRequest,
): Promise<void> {
  const input = parseInput(inputSchema, request)
  const { runId, valueUsd } = input
  const note = readReason(input.note, 'input.note')
  if (!isId(runId)) fail('NOT_FOUND', { path: 'input.runId' })
  await database.inTenant(actor, async (tx) => {
    const [run] = await tx.sql<{ workflowId: string; workflowName: string }>(
      `select r.workflow_id as "workflowId", w.name as "workflowName" from run r
       join workflow w on w.organization_id = r.organization_id and w.id = r.workflow_id
       where r.organization_id = $1::uuid and r.id = $2::uuid for no key update of r`,
      actor.organizationId,
      runId,
    )
    if (!run) return fail('NOT_FOUND', { path: 'input.runId' })
    await tx.sql(
      `insert into run_value (organization_id, run_id, value_usd, note, declared_by)
       values ($1::uuid, $2::uuid, $3::numeric, $4, $5::jsonb)
       on conflict (organization_id, run_id) do update set value_usd = excluded.value_usd, note = excluded.note,
         declared_by = excluded.declared_by, declared_at = excluded.declared_at returning run_id`,
      actor.organizationId,
      runId,
      valueUsd.toFixed(6),
      note,
      JSON.stringify(actorRecord(actor)),
    )
    const data = { ...run, runId, valueUsd, note }
    await tx.appendEvent({ type: 'run.value_declared', subject: `run/${runId}`, data })
  })
}
