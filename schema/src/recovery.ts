/** What sort of failure of an agent it was, as far as it matters for what is done about it. */
export const FAILURE_KINDS = [
  'connection',
  'server',
  'timeout',
  'overload',
  'breaker',
  'answer',
  'credential',
  'policy',
  'refusal',
] as const
export type FailureKind = (typeof FAILURE_KINDS)[number]

/**
 * What is done: the same agent again, another of the capability, an answer prepared beforehand, or a person is told. The
 * last two end the step's attempts.
 */
export const RECOVERY_ACTIONS = ['restart', 'fail_over', 'degrade', 'escalate'] as const
export type RecoveryAction = (typeof RECOVERY_ACTIONS)[number]

/** By kind: what is done at the first failure of a task, at the second ...; the last goes on for all that follow. */
export type RecoveryPolicy = Readonly<Partial<Record<FailureKind, readonly RecoveryAction[]>>>
