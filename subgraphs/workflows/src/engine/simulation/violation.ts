/** What must hold at every commit, or at the end; docs/simulation.md says what each means. */
export const INVARIANTS = [
  'a run ends or waits for a reason',
  'one completion a task',
  'no stale write',
  'one holder a strand',
  'a join fires once',
  'bounds hold',
  'limits hold',
  'compensation is complete',
  'nothing is left',
  'paths are unique',
  'one key an effect',
  'signals are taken once',
  'times are kept',
  'attempts are counted',
  'a pause holds',
  'a start is accepted once',
  'no error',
] as const

export type Invariant = (typeof INVARIANTS)[number]

export interface Violation {
  readonly invariant: Invariant
  readonly text: string
}
