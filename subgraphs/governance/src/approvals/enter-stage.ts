import type { SqlTransaction } from '@tutti/prisma'
import { APPROVAL_COLUMNS, type ApprovalRow } from './approval-row.ts'
import type { ApprovalStage } from './approval-stage.ts'
import { openToAdministrators } from './open-to-administrators.ts'

/** Seconds from now, or the approval's own end when that is sooner. */
const DEADLINE = (seconds: string, closesAt: string): string =>
  `least(${closesAt}, clock_timestamp() + make_interval(secs => ${seconds}::float8))`

/**
 * The clocks of a stage that begins now, by the database's clock, as expressions for `expires_at`, `remind_at` and
 * `on_deadline`. Its parameters are those of {@link stageClocks}, from this number on; where the approval's end is sooner than the
 * stage's, it expires there.
 */
export const stageClockColumns = (first: number, closesAt: string): [string, string, string] => {
  const [deadline, reminder, rule] = [first, first + 1, first + 2].map((n) => `$${n}`)
  const at = DEADLINE(`${deadline}`, closesAt)
  return [
    at,
    `${at} - make_interval(secs => ${reminder}::float8)`,
    `case when ${closesAt} <= ${at} then 'expire' else ${rule}::text end`,
  ]
}

export const stageClocks = (stage: ApprovalStage | undefined): [number | null, number | null, string] => [
  stage?.deadlineSeconds ?? null,
  stage?.reminderSeconds ?? null,
  stage?.onDeadline ?? 'expire',
]

/** Begins a stage of a locked approval: who decides now and until when; administrators where nobody else is left. */
export async function enterStage(
  tx: SqlTransaction,
  approval: Pick<ApprovalRow, 'id' | 'stages'>,
  stage: number,
): Promise<ApprovalRow> {
  const [expiresAt, remindAt, onDeadline] = stageClockColumns(4, 'closes_at')
  const [entered] = await tx.sql<ApprovalRow>(
    `update approval set status = 'pending', stage = $3::int, expires_at = ${expiresAt}, remind_at = ${remindAt},
       on_deadline = ${onDeadline}
     where organization_id = $1::uuid and id = $2::uuid returning ${APPROVAL_COLUMNS}`,
    tx.actor.organizationId,
    approval.id,
    stage,
    ...stageClocks(approval.stages[stage]),
  )
  if (!entered) throw new Error('A locked approval is gone.')
  return openToAdministrators(tx, entered)
}
