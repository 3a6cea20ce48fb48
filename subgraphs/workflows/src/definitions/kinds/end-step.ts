import type { EndNode } from '../definition.ts'
import { draftStep } from '../draft-step.ts'
import type { StepKind } from './step-kind.ts'

/** A named end. */
export const endStep: StepKind<EndNode> = {
  types: ['end'],
  isMeantBy: () => false,
  read: (about, fields) => draftStep({ ...about, kind: 'end' }, fields.place),
  write: () => ({ type: 'end' }),
  properties: {},
  required: ['type'],
}
