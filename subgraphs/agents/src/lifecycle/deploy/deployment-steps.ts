import type { Problem } from '@tutti/schema'

/** The stages of a deployment, in their order. */
export const STAGES = [
  'validate',
  'allocate',
  'create_instances',
  'register',
  'monitor',
  'hand_over',
] as const
export type Stage = (typeof STAGES)[number]

export type StageStatus = 'pending' | 'running' | 'done' | 'failed' | 'undone'
export type DeploymentStatus = 'running' | 'undoing' | 'completed' | 'failed'

/** Why a stage failed. */
export interface StageError {
  code: string
  message: string
  problems?: readonly Problem[]
}

/** What is known of one stage. Times as ISO 8601. */
export interface StageRecord {
  stage: Stage
  status: StageStatus
  /** How often it was begun, and how often its undoing failed. */
  attempts: number
  undoAttempts: number
  startedAt: string | null
  endedAt: string | null
  error: StageError | null
  /** What it came to. */
  detail: Record<string, unknown> | null
}

/** Where a deployment stands. */
export interface DeploymentState {
  status: DeploymentStatus
  stages: readonly StageRecord[]
}

/** What is to be done next: a stage, the undoing of one, or the end; null when it is over. */
export type DeploymentStep = { do: Stage } | { undo: Stage } | { end: 'completed' | 'failed' } | null

/** What happened to a deployment. */
export type DeploymentEvent =
  | { type: 'began'; stage: Stage; at: string }
  | { type: 'done'; stage: Stage; at: string; detail: Record<string, unknown> }
  | { type: 'failed'; stage: Stage; at: string; error: StageError }
  | { type: 'undone'; stage: Stage; at: string }
  | { type: 'undo_failed'; stage: Stage }
  | { type: 'ended' }

/** A deployment before its first stage. */
export const notBegun = (): DeploymentState => ({
  status: 'running',
  stages: STAGES.map((stage) => ({
    stage,
    status: 'pending',
    attempts: 0,
    undoAttempts: 0,
    startedAt: null,
    endedAt: null,
    error: null,
    detail: null,
  })),
})

/** The next step: stages in their order; after a failure those that were done, in the reverse. */
export function nextStep({ status, stages }: DeploymentState): DeploymentStep {
  if (status === 'completed' || status === 'failed') return null
  if (status === 'undoing') {
    const last = stages.findLast((each) => each.status === 'done')
    return last ? { undo: last.stage } : { end: 'failed' }
  }
  const next = stages.find((each) => each.status !== 'done')
  return next ? { do: next.stage } : { end: 'completed' }
}

/** The state after what happened. Throws for what cannot happen in this state. */
export function afterEvent(state: DeploymentState, event: DeploymentEvent): DeploymentState {
  const step = nextStep(state)
  if (event.type === 'ended') {
    if (!step || !('end' in step)) throw new Error('It is not at its end.')
    return { ...state, status: step.end }
  }
  const isUndoing = event.type === 'undone' || event.type === 'undo_failed'
  const stage = step && (isUndoing ? 'undo' in step && step.undo : 'do' in step && step.do)
  if (stage !== event.stage) throw new Error(`${event.type} of ${event.stage} is not its next step.`)
  return {
    status: event.type === 'failed' ? 'undoing' : state.status,
    stages: state.stages.map((record) => (record.stage === event.stage ? changed(record, event) : record)),
  }
}

function changed(record: StageRecord, event: Exclude<DeploymentEvent, { type: 'ended' }>): StageRecord {
  switch (event.type) {
    case 'began':
      return {
        ...record,
        status: 'running',
        attempts: record.attempts + 1,
        startedAt: record.startedAt ?? event.at,
      }
    case 'done':
      return { ...record, status: 'done', endedAt: event.at, detail: event.detail }
    case 'failed':
      return { ...record, status: 'failed', endedAt: event.at, error: event.error }
    case 'undone':
      return { ...record, status: 'undone', endedAt: event.at }
    case 'undo_failed':
      return { ...record, undoAttempts: record.undoAttempts + 1 }
  }
}
