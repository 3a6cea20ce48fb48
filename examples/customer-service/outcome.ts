import type { CustomerMessage } from '../input/read-messages.ts'

/** How a message ended: a reply went out, a person decides, nothing worked, or it is still under way. */
export type Ending = 'answered' | 'escalated' | 'failed' | 'open'

/** One message and what became of it. */
export interface Outcome {
  message: CustomerMessage
  runId: string
  ending: Ending
  /** Started by this very call; false when an earlier one had started it. */
  fresh: boolean
  /** From the run's start until it ended or waited for a person. */
  milliseconds?: number
  /** US dollars. */
  cost?: number
  /** Confidence of the quality controller, 0 to 1. */
  confidence?: number
  /** What the classifier took it for. */
  intent?: string
  /** Why a person is asked, or what failed. */
  reason?: string
  /** The approval a person decides. */
  approvalId?: string
}
