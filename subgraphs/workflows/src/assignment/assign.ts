import { createHash } from 'node:crypto'

/** An agent that has the capability, with what is known of it at this moment. */
export interface Candidate {
  readonly id: string
  readonly name: string
  /** Its domain, through its team. */
  readonly domainId: string | null
  /** How many capabilities it has: who has few is a specialist. */
  readonly capabilities: number
  /** Tasks it may have under way at once; 1 or more. */
  readonly slots: number
  /** Tasks it has under way. */
  readonly running: number
  /** How good its last work was, 0 to 1; null: unknown. */
  readonly quality: number | null
  /** What its last tasks cost on average, US dollars. */
  readonly costUsd: number
  /** Why it should get nothing now; absent: it can. */
  readonly unavailable?: 'retired' | 'draining' | 'deploying' | 'unhealthy' | 'breaker_open' | 'failed_before'
  /** Its breaker may be tried with one task. */
  readonly trial?: boolean
  /** What others take of its work, at most 100% in all; absent: nothing. */
  readonly shares?: readonly Share[]
}

/** How much of an agent's work by capability another takes where it can do it too. */
export interface Share {
  /** The other's id. */
  readonly to: string
  readonly percent: number
}

/** What is to be done, as far as it matters for the choice. */
export interface Wish {
  /** The domain that the work comes from; null: none is known. */
  readonly domainId: string | null
  /** Who did this run's work of this capability before; null: nobody, or it does not matter. */
  readonly before: string | null
  /** Chooses among equals: the same for work that should stay together. */
  readonly key: string
}

/** How one candidate was judged. */
export interface Judged {
  readonly agent: string
  /** 0 to 1.15; {@link SHARES} says of what. */
  readonly score: number
  readonly unavailable?: Candidate['unavailable']
}

/** What is kept on the task: who was chosen, and why. */
export interface Assignment {
  readonly agent: string
  readonly reasons: readonly string[]
  /** The best first, at most {@link MOST_RANKED}. */
  readonly ranking: readonly Judged[]
}

/** What a score is made of; `sticky` comes on top. */
export const SHARES = {
  domain: 0.3,
  load: 0.3,
  quality: 0.2,
  specialisation: 0.1,
  cost: 0.1,
  sticky: 0.15,
} as const
/** Scores as near as this are equal: the turn decides. */
const EQUAL = 0.05
const MOST_RANKED = 5
/** Of an agent of whose work nothing is known. */
const UNKNOWN_QUALITY = 0.7

/** The candidate's score, 0 to 1.15. Of two that differ in one thing only, the better in it never has the lower score. */
export function scoreOf(candidate: Candidate, wish: Wish, dearestUsd: number): number {
  const { domainId, running, slots, capabilities, quality, costUsd, id } = candidate
  return (
    SHARES.domain * (wish.domainId !== null && domainId === wish.domainId ? 1 : 0) +
    SHARES.load * (1 - Math.min(1, running / slots)) +
    SHARES.quality * (quality ?? UNKNOWN_QUALITY) +
    SHARES.specialisation / Math.max(1, capabilities) +
    SHARES.cost * (dearestUsd > 0 ? 1 - costUsd / dearestUsd : 1) +
    (wish.before === id ? SHARES.sticky : 0)
  )
}

/**
 * Chooses among agents of one capability: the best by score, weighted round robin (rendezvous hashing by `wish.key`, with
 * the free slots as weights) among those that are about equal. Of who was chosen, others take their shares, by `wish.key`
 * too; not of work that it had before, and nobody who is not available. An agent whose breaker may be tried gets this one task.
 * Where none is available, the least bad of those that are registered: it may be back by then, and a retry chooses anew.
 * Undefined without candidates.
 */
export function assign(
  candidates: readonly Candidate[],
  wish: Wish,
): { agent: Candidate; assignment: Assignment } | undefined {
  const dearest = Math.max(0, ...candidates.map(({ costUsd }) => costUsd))
  const judged = candidates
    .map((candidate) => ({ candidate, score: scoreOf(candidate, wish, dearest) }))
    .sort((a, b) => badness(a.candidate) - badness(b.candidate) || b.score - a.score)
  const [first] = judged
  if (!first) return undefined
  const level = badness(first.candidate)
  const equals = judged.filter(
    ({ candidate, score }) => badness(candidate) === level && first.score - score <= EQUAL,
  )
  const trial = judged.find(({ candidate }) => candidate.trial && badness(candidate) === 0)
  const { candidate: best } =
    trial ??
    equals.reduce((most, each) => (drawOf(each.candidate, wish) > drawOf(most.candidate, wish) ? each : most))
  const taken = trial ? undefined : takerOf(best, candidates, wish)
  const agent = taken?.agent ?? best
  return {
    agent,
    assignment: {
      agent: agent.name,
      reasons: taken
        ? [`It takes ${taken.percent}% of the work of "${best.name}" since the last rebalancing.`]
        : reasonsOf(agent, wish, {
            of: candidates.length,
            equals: equals.length,
            isTrial: trial !== undefined,
          }),
      ranking: judged.slice(0, MOST_RANKED).map(({ candidate, score }) => ({
        agent: candidate.name,
        score: Math.round(score * 1_000) / 1_000,
        ...(candidate.unavailable ? { unavailable: candidate.unavailable } : {}),
      })),
    },
  }
}

/** The order in which agents are taken that should get nothing. */
const BADNESS = {
  failed_before: 1,
  unhealthy: 2,
  deploying: 3,
  breaker_open: 4,
  draining: 5,
  retired: 6,
} as const

const badness = ({ unavailable }: Candidate): number => (unavailable ? BADNESS[unavailable] : 0)

/** Weighted rendezvous hashing: `-w / ln(h)`, h uniform in (0, 1); each wins in proportion to its free slots. */
function drawOf({ id, slots, running }: Candidate, { key }: Wish): number {
  return -Math.max(1, slots - running) / Math.log(uniform(`${key}/${id}`))
}

/** The same for the same text, evenly in (0, 1). */
const uniform = (text: string): number =>
  (createHash('sha1').update(text).digest().readUInt32BE(0) + 1) / 4_294_967_298

/** Who takes this piece of the work of the agent that was chosen; undefined: it keeps it. */
function takerOf(
  chosen: Candidate,
  candidates: readonly Candidate[],
  { key, before }: Wish,
): { agent: Candidate; percent: number } | undefined {
  if (!chosen.shares || chosen.unavailable || before === chosen.id) return undefined
  let left = 100 * uniform(`${key}/${chosen.id}/share`)
  for (const { to, percent } of chosen.shares) {
    left -= percent
    if (left >= 0) continue
    const agent = candidates.find(({ id }) => id === to)
    return agent && !agent.unavailable && !agent.trial ? { agent, percent } : undefined
  }
  return undefined
}

function reasonsOf(
  agent: Candidate,
  { domainId, before }: Wish,
  { of, equals, isTrial }: { of: number; equals: number; isTrial: boolean },
): string[] {
  if (agent.unavailable)
    return [`None of ${of} is available; this one is the least bad: ${agent.unavailable.replace('_', ' ')}.`]
  if (isTrial) return ['Its breaker lets one task through, to see whether it works again.']
  return [
    of === 1 ? 'It alone has the capability.' : `The best of ${of}.`,
    ...(domainId !== null && agent.domainId === domainId ? ['Of the same domain as the work before.'] : []),
    ...(before === agent.id ? ["Did this run's work of the capability before."] : []),
    ...(of > 1 ? [`${agent.running} of ${agent.slots} slots taken.`] : []),
    ...(of > 1 && agent.quality !== null ? [`Quality of its last work ${agent.quality.toFixed(2)}.`] : []),
    ...(equals > 1 ? [`${equals} were about equal: the turn was its.`] : []),
  ]
}
