import type { LimitScope } from './limit-rule.ts'
import { wholeStarts } from './token-bucket.ts'

/** A strand that is due, as limits see it. */
export interface Candidate {
  organizationId: string
  strandId: string
  workflowId: string
  /** The agent of its present task; null where the engine alone acts. */
  agentId: string | null
  limitKey: string | null
}

/** A limit on tasks, or on what the day costs, as it stands now. */
export interface TaskLimit {
  id: string
  organizationId: string
  scope: LimitScope
  subject: string
  maxRunning: number | null
  /** Attempts of agents that may begin now; null without a rate. */
  tokens: number | null
  /** True when the day has cost as much as it may. */
  spent: boolean
}

/** Strands under way that are alike to limits. */
export interface UnderWay {
  organizationId: string
  workflowId: string
  agentId: string | null
  limitKey: string | null
  running: number
}

/** What there is to decide by. */
export interface Situation {
  limits: readonly TaskLimit[]
  underWay: readonly UnderWay[]
  /** Candidates whose lease ran out: they have their place already, and begin nothing new. */
  leased: ReadonlySet<string>
  /** Agents whose attempts may cost something. */
  costly: ReadonlySet<string>
  /** Most strands to admit. */
  most: number
}

/** What admits no more: nothing at all, or no agent's attempt. */
export interface Full {
  organizationId: string
  scope: LimitScope
  subject: string
  of: 'everything' | 'starts'
}

/** Who may go on, what that takes from the buckets (tokens by limit), and what is full. */
export interface Admission {
  admitted: Candidate[]
  taken: Map<string, number>
  full: Full[]
}

interface Room {
  limit: TaskLimit
  places: number
  tokens: number
}

/**
 * Admits candidates in their order, as many as every limit that concerns them has room for. A strand takes a place of
 * each; one at an agent's task takes a token of each rate as well.
 */
export function admit(
  candidates: readonly Candidate[],
  { limits, underWay, leased, costly, most }: Situation,
): Admission {
  const rooms = new Map<string, Room[]>()
  for (const limit of limits) {
    const key = keyOf(limit.organizationId, limit.scope, limit.subject)
    const room = {
      limit,
      places: limit.maxRunning ?? Infinity,
      tokens: wholeStarts(limit.tokens ?? Infinity),
    }
    rooms.set(key, [...(rooms.get(key) ?? []), room])
  }
  for (const each of underWay) for (const room of roomsOf(rooms, each)) room.places -= each.running

  const admitted: Candidate[] = []
  const taken = new Map<string, number>()
  const tooDear = new Map<string, Full>()
  for (const candidate of candidates) {
    if (admitted.length >= most) break
    const { organizationId, strandId, agentId } = candidate
    if (leased.has(strandId)) {
      admitted.push(candidate)
      continue
    }
    const concerned = roomsOf(rooms, candidate)
    if (agentId !== null && costly.has(agentId) && concerned.some(({ limit }) => limit.spent)) {
      tooDear.set(`${organizationId}/${agentId}`, {
        organizationId,
        scope: 'agent',
        subject: agentId,
        of: 'starts',
      })
      continue
    }
    if (!concerned.every(({ places, tokens }) => places >= 1 && (agentId === null || tokens >= 1))) continue
    for (const room of concerned) {
      room.places -= 1
      if (agentId === null || room.limit.tokens === null) continue
      room.tokens -= 1
      taken.set(room.limit.id, (taken.get(room.limit.id) ?? 0) + 1)
    }
    admitted.push(candidate)
  }
  return { admitted, taken, full: [...tooDear.values(), ...[...rooms.values()].flat().flatMap(fullOf)] }
}

function fullOf({ limit, places, tokens }: Room): Full[] {
  const { organizationId, scope, subject } = limit
  if (places < 1) return [{ organizationId, scope, subject, of: 'everything' }]
  return tokens < 1 ? [{ organizationId, scope, subject, of: 'starts' }] : []
}

/** The rooms of every limit that concerns a strand. */
function roomsOf(
  rooms: ReadonlyMap<string, Room[]>,
  { organizationId: o, workflowId, agentId, limitKey }: Omit<Candidate, 'strandId'>,
): Room[] {
  const found = [
    ...(rooms.get(keyOf(o, 'organization', '')) ?? []),
    ...(rooms.get(keyOf(o, 'workflow', workflowId)) ?? []),
  ]
  if (agentId !== null) found.push(...(rooms.get(keyOf(o, 'agent', agentId)) ?? []))
  if (limitKey !== null) found.push(...(rooms.get(keyOf(o, 'key', limitKey)) ?? []))
  return found
}

const keyOf = (organizationId: string, scope: LimitScope, subject: string): string =>
  `${organizationId}/${scope}/${subject}`
