import type { Allocation } from '../../lifecycle/require-room.ts'

/** How much of its work by capability another agent takes: 1 to 90 percent. */
export interface SharedWork {
  to: string
  percent: number
}

/**
 * An agent with instances, as a rebalancing sees it. What it has to do is counted in tasks under way and waiting, and is what
 * it would have if nobody took a share of anybody's work.
 */
export interface RebalancedAgent {
  agentId: string
  name: string
  type: string
  capabilities: readonly string[]
  instances: number
  /** Tasks that one instance takes at once, from 1. */
  tasksPerInstance: number
  /** Instances it may have, and all agents of its type together. */
  minInstances: number
  maxInstances: number
  minPerType: number
  maxPerType: number
  /** Shares of its slots: above the first it has too much to do, at the second or below too little. */
  scaleUpThreshold: number
  scaleDownThreshold: number
  /** Its instances are left to automatic scaling. */
  isScaledByLoad: boolean
  /** Its last change is long enough ago for it to have fewer instances. */
  mayShrink: boolean
  /** In service, healthy, and its breaker closed: it can be given work. */
  isAvailable: boolean
  /** Its tasks now, and at the peak of the next 24 hours; null: nothing is known of them. */
  tasksNow: number
  tasksPeak: number | null
  /** What part of its work is given by capability, and could be another's: 0 to 1. */
  movable: number
  /** The 95th percentile of its attempts, and what it is to be; null: none was made, it does not matter. */
  responseP95Ms: number | null
  targetResponseMs: number | null
  /** What one of its tasks costs on average, and how many it has in a day. */
  costUsd: number
  tasksPerDay: number
  /** What the budgets that concern it have left, the least of them; null: none bounds it. */
  moneyLeftUsd: number | null
  /** What one instance sets aside. */
  needs: Allocation
  /** The quotas that concern it, by id. */
  quotas: readonly string[]
  shares: readonly SharedWork[]
}

/** A quota and what of each kind is free; null: it is not bounded. */
export interface QuotaRoom {
  id: string
  left: { readonly [Kind in keyof Allocation]: number | null }
}

/** Everything that a rebalancing is decided by. */
export interface Situation {
  agents: readonly RebalancedAgent[]
  quotas: readonly QuotaRoom[]
}

/** The figures of an agent as an action was decided by them. */
export interface RebalanceFigures {
  /** What it has to do: now, and at the peak of the next 24 hours; null: nothing is known of that. */
  tasksNow: number
  tasksPeak: number | null
  slots: number
  /** What of its slots the greater of them takes, by the shares there were. */
  utilisation: number
  responseP95Ms: number | null
  costUsd: number
}

interface Decided {
  agentId: string
  name: string
  /** Instances, or percent of its work by capability. */
  from: number
  to: number
  reason: string
  figures: RebalanceFigures
}

/** One change that a rebalancing makes. */
export type RebalanceAction =
  | (Decided & { action: 'grow' | 'shrink' })
  | (Decided & { action: 'migrate'; toAgentId: string; toName: string; toFigures: RebalanceFigures })

/** An agent that has more to do than it can, and nobody to take it. */
export interface Overloaded {
  agentId: string
  name: string
  /** Tasks above what it may have, by its upper threshold. */
  tasks: number
  because: string
}

/** What is to be done, in this order, and what is left. */
export interface RebalancePlan {
  actions: RebalanceAction[]
  overloaded: Overloaded[]
}

/** The greater of what it has to do now and at the peak. */
export const demandOf = ({ tasksNow, tasksPeak }: Pick<RebalancedAgent, 'tasksNow' | 'tasksPeak'>): number =>
  Math.max(tasksNow, tasksPeak ?? 0)

/** What part of an agent's work others take: 0 to 1. */
const givenBy = ({ movable, shares }: Pick<RebalancedAgent, 'movable' | 'shares'>): number =>
  (movable * shares.reduce((sum, { percent }) => sum + percent, 0)) / 100

/** What the agent has to do with the shares there are. */
export function loadOf(agent: RebalancedAgent, agents: readonly RebalancedAgent[]): number {
  const received = agents.reduce((sum, other) => sum + sharedWith(other, agent.agentId), 0)
  return demandOf(agent) * (1 - givenBy(agent)) + received
}

/** What of an agent's work another takes, in tasks. */
const sharedWith = (agent: RebalancedAgent, to: string): number =>
  agent.shares.reduce(
    (sum, share) => (share.to === to ? sum + (demandOf(agent) * agent.movable * share.percent) / 100 : sum),
    0,
  )

/** The situation as it would be after these actions; what was measured of who was changed counts no more. */
export function applied({ agents, quotas }: Situation, actions: readonly RebalanceAction[]): Situation {
  const after = agents.map((agent): RebalancedAgent => {
    const own = actions.filter(({ agentId }) => agentId === agent.agentId)
    const scaled = own.find(({ action }) => action !== 'migrate')
    const moved = own.filter((each) => each.action === 'migrate')
    const isTouched =
      own.length > 0 || actions.some((each) => each.action === 'migrate' && each.toAgentId === agent.agentId)
    return {
      ...agent,
      instances: scaled?.to ?? agent.instances,
      mayShrink: agent.mayShrink && scaled?.action !== 'grow',
      responseP95Ms: isTouched ? null : agent.responseP95Ms,
      shares: [
        ...agent.shares.filter(({ to }) => !moved.some(({ toAgentId }) => toAgentId === to)),
        ...moved.filter(({ to }) => to > 0).map(({ toAgentId, to: percent }) => ({ to: toAgentId, percent })),
      ],
    }
  })
  const taken = (agent: RebalancedAgent, index: number): number =>
    (after[index]?.instances ?? agent.instances) - agent.instances
  return {
    agents: after,
    quotas: quotas.map(({ id, left }) => {
      const of = (kind: keyof Allocation): number | null => {
        const free = left[kind]
        return free === null
          ? null
          : agents.reduce(
              (sum, agent, index) =>
                agent.quotas.includes(id) ? sum - taken(agent, index) * agent.needs[kind] : sum,
              free,
            )
      }
      return {
        id,
        left: {
          instances: of('instances'),
          memoryMb: of('memoryMb'),
          cpuCores: of('cpuCores'),
          storageMb: of('storageMb'),
          bandwidthMbps: of('bandwidthMbps'),
          tasks: of('tasks'),
        },
      }
    }),
  }
}
