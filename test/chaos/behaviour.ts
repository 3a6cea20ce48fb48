/** The agents of the harness, by what they do wrong. */
export const AGENTS = ['steady', 'slow', 'troubled', 'fragile'] as const
export type AgentName = (typeof AGENTS)[number]

/** What an agent does with a piece of work. */
export interface Behaviour {
  /** Milliseconds until it answers. */
  readonly takes: number
  /** Attempts that fail and may be tried again, before one succeeds. */
  readonly failures: number
  /** It fails for good. */
  readonly breaks: boolean
  /** 0 to 9, part of the answer. */
  readonly grade: number
}

/** Attempts of the troubled agent that fail. */
export const TROUBLES = 2

/**
 * Follows from the idempotency key alone (64 hexadecimal digits): whoever repeats a call gets the same again, and whoever
 * knows the key knows how the step must end. Some of the steady ones take longer than a lease.
 */
export function behaviourOf(agent: AgentName, key: string): Behaviour {
  const share = (part: number): number => Number.parseInt(key.slice(part * 6, part * 6 + 6), 16) / 2 ** 24
  return {
    takes: agent === 'slow' ? 1_500 + 1_500 * share(0) : takes(share(0)),
    failures: agent === 'troubled' ? TROUBLES : failures(share(1)),
    breaks: agent === 'fragile' && share(2) < 0.5,
    grade: Math.floor(share(3) * 10),
  }
}

function takes(share: number): number {
  if (share < 0.7) return 20 + 150 * share
  if (share < 0.95) return 120 + 1_600 * (share - 0.7)
  return share < 0.99 ? 600 + 30_000 * (share - 0.95) : 6_000
}

function failures(share: number): number {
  if (share < 0.85) return 0
  return share < 0.95 ? 1 : 2
}
