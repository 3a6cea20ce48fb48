/** What can be wrong with a record; docs/audit.md says what each means. */
export type FaultKind =
  | 'unreadable'
  | 'not_canonical'
  | 'foreign'
  | 'missing'
  | 'repeated'
  | 'altered'
  | 'entry_altered'
  | 'entry_missing'
  | 'truncated'
  | 'root_differs'
  | 'checkpoint_unreadable'
  | 'checkpoint_key'
  | 'checkpoint_altered'
  | 'checkpoint_missing'

/** One thing that is wrong, and where. */
export interface Fault {
  kind: FaultKind
  /** The entry's, or of the first entry that is concerned; 0: none can be said. */
  sequence: number
  /** The number of the checkpoint that is concerned. */
  checkpoint?: number
  /** For people. */
  message: string
}
