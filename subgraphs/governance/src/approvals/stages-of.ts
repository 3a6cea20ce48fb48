import type { ApprovalRow } from './approval-row.ts'
import type { ApprovalStage } from './approval-stage.ts'
import type { DecisionRow } from './decision-row.ts'

/** A stage with how many have said yes in it, in the approval's present round. */
export interface StageNow extends ApprovalStage {
  given: number
}

/** The stages of an approval as they stand. */
export function stagesOf(
  { stages, round }: Pick<ApprovalRow, 'stages' | 'round'>,
  decisions: readonly DecisionRow[],
): StageNow[] {
  return stages.map((stage, index) => ({
    ...stage,
    given: decisions.filter(
      (each) =>
        each.round === round && each.stage === index && each.verdict === 'approved' && each.personId !== null,
    ).length,
  }))
}
