import type { FailureKind, RecoveryAction, RecoveryPolicy } from '@tutti/schema'

/** What was done about one failure; kept on the task. */
export interface RecoveryStep {
  readonly attempt: number
  readonly kind: FailureKind
  readonly action: RecoveryAction
  readonly code: string
  /** The agents by name: who failed, and who is next; null when nobody is. */
  readonly from: string | null
  readonly to: string | null
}

export const DEFAULT_RECOVERY: Required<RecoveryPolicy> = {
  connection: ['fail_over'],
  server: ['fail_over'],
  timeout: ['restart', 'fail_over'],
  overload: ['fail_over'],
  breaker: ['fail_over'],
  answer: ['restart', 'fail_over'],
  credential: ['escalate'],
  policy: ['escalate'],
  refusal: ['restart'],
}

const KINDS: Readonly<Record<string, FailureKind>> = {
  AGENT_UNREACHABLE: 'connection',
  AGENT_BREAKER_OPEN: 'breaker',
  AGENT_RETIRED: 'connection',
  AGENT_ANSWER_INVALID: 'answer',
  AGENT_ANSWER_TOO_LARGE: 'answer',
  OUTPUT_INVALID: 'answer',
  STEP_TIMED_OUT: 'timeout',
  HEARTBEAT_TIMEOUT: 'timeout',
  EXECUTOR_FAILED: 'server',
  AGENT_ADDRESS_REFUSED: 'policy',
  ACTION_NOT_PERMITTED: 'policy',
}

/** The kind of a failure: what the executor said of it, else by its code; an agent's own codes are refusals. */
export function failureKindOf(error: { code: string; fault?: FailureKind | undefined }): FailureKind {
  return (
    error.fault ??
    (Object.hasOwn(KINDS, error.code) ? KINDS[error.code] : undefined) ??
    (error.code.startsWith('CREDENTIAL_') ? 'credential' : 'refusal')
  )
}

/** Whether a failure says that the agent itself is broken: these open its breaker. */
export const saysBroken = (kind: FailureKind): boolean =>
  kind === 'connection' || kind === 'server' || kind === 'timeout'

/** What is done about the failure of attempt `attempt`, from 1. */
export function recover(kind: FailureKind, attempt: number, policy: RecoveryPolicy = {}): RecoveryAction {
  const actions = policy[kind]?.length ? policy[kind] : DEFAULT_RECOVERY[kind]
  return actions[Math.min(Math.max(attempt, 1), actions.length) - 1] ?? 'restart'
}
