import { CHILDREN, type ChildrenRules } from './children.ts'
import { CLAIM, type ClaimRules } from './claim-strands.ts'
import { CONTROL, type ControlRules } from './control.ts'
import { LIMITS, type LimitRules } from './find-room.ts'
import { LET_GO, type LetGoRules } from './let-go.ts'
import { LINE, type LineRules } from './line-up-runs.ts'
import { OUTSIDE, type OutsideRules } from './outside.ts'
import { READ, type ReadRules } from './read-strands.ts'
import { SIGNALS, type SignalRules } from './take-signals.ts'
import { WRITE, type WriteRules } from './write-plan.ts'

/** Everything the store does, part by part; a planted bug replaces one of them. */
export interface StoreRules {
  readonly write: WriteRules
  readonly claim: ClaimRules
  readonly limits: LimitRules
  readonly line: LineRules
  readonly children: ChildrenRules
  readonly letGo: LetGoRules
  readonly read: ReadRules
  readonly signals: SignalRules
  readonly control: ControlRules
  readonly outside: OutsideRules
}

export const STORE_RULES: StoreRules = {
  write: WRITE,
  claim: CLAIM,
  limits: LIMITS,
  line: LINE,
  children: CHILDREN,
  letGo: LET_GO,
  read: READ,
  signals: SIGNALS,
  control: CONTROL,
  outside: OUTSIDE,
}
