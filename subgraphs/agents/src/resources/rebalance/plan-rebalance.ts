import type { Allocation } from '../../lifecycle/require-room.ts'
import {
  demandOf,
  loadOf,
  type Overloaded,
  type QuotaRoom,
  type RebalanceAction,
  type RebalancedAgent,
  type RebalanceFigures,
  type RebalancePlan,
  type Situation,
} from './situation.ts'

/** So much of its work an agent gives away at most, in percent: of the rest its whole load can be told. */
export const MOST_GIVEN = 90
/** What is above a bound by less is at it. */
const NEAR = 1e-6
/** A change may make room for another; after so many looks none does. */
const LOOKS = 12

/**
 * What is to be done about agents that have too much or too little to do. Load is the greater of what is there now and the
 * peak of the next 24 hours.
 *
 * - An agent whose load is at its lower threshold or below SHRINKs to what keeps it at its upper one; not while it answers too
 *   slowly, gives work away, or was changed a moment ago.
 * - One above the upper threshold GROWs to what is needed, one that answers too slowly by one instance; as far as its
 *   bounds, its type's, quotas and money allow. Both not where instances follow the load by themselves.
 * - What is above the threshold then MIGRATEs: to available agents with all of its capabilities that answer in time, as far
 *   as they stay at their thresholds, first with the instances they have, then with more; and as their money allows.
 * - A share is made smaller when its agent would be halfway between its thresholds with less of it, or who takes it has too much.
 *
 * It is looked again at what would be then until nothing is left to do. So of a situation after its plan there is none.
 */
export function planRebalance(situation: Situation): RebalancePlan {
  const draft = new Draft(situation)
  for (let look = 0; look < LOOKS; look += 1) if (!draft.look()) break
  return draft.plan(situation)
}

/** An agent as it would be. */
interface Planned extends Omit<RebalancedAgent, 'shares'> {
  shares: { to: string; percent: number }[]
}

class Draft {
  readonly #agents: Planned[]
  readonly #byId: ReadonlyMap<string, Planned>
  readonly #quotas: ReadonlyMap<string, { [Kind in keyof Allocation]: number | null }>
  /** Why instances are more or fewer, a share is another, and why an agent does not grow; the last that was said. */
  readonly #reasons = new Map<string, string>()
  readonly #bounds = new Map<string, string>()
  /** Who gives work to an agent, and instances by type. */
  readonly #givers = new Map<string, Set<Planned>>()
  readonly #ofType = new Map<string, number>()
  #isChanged = false

  constructor({ agents, quotas }: Situation) {
    this.#agents = agents
      .map((agent) => ({ ...agent, shares: agent.shares.map((share) => ({ ...share })) }))
      .sort((a, b) => (a.agentId < b.agentId ? -1 : 1))
    this.#byId = new Map(this.#agents.map((agent) => [agent.agentId, agent]))
    this.#quotas = new Map(quotas.map(({ id, left }: QuotaRoom) => [id, { ...left }]))
    for (const agent of this.#agents) {
      this.#ofType.set(agent.type, (this.#ofType.get(agent.type) ?? 0) + agent.instances)
      for (const { to } of agent.shares) this.#giversOf(to).add(agent)
    }
  }

  /** One look at all agents; true: something is another than before. */
  look(): boolean {
    this.#isChanged = false
    for (const agent of this.#agents) this.#takeBack(agent)
    for (const agent of this.#agents) this.#shrink(agent)
    const over = (agent: Planned): number => this.#load(agent) / slotsOf(agent)
    for (const agent of this.#agents.toSorted((a, b) => over(b) - over(a))) this.#grow(agent)
    for (const agent of this.#agents) this.#relieve(agent)
    for (const agent of this.#agents.toSorted((a, b) => this.#excess(b) - this.#excess(a)))
      this.#migrate(agent)
    return this.#isChanged
  }

  plan(before: Situation): RebalancePlan {
    const was = new Draft(before)
    const were = new Map(before.agents.map((agent) => [agent.agentId, agent]))
    const figures = new Map(was.#agents.map((agent) => [agent.agentId, figuresOf(agent, was.#load(agent))]))
    const of = (id: string): RebalanceFigures => figures.get(id) ?? NO_FIGURES
    const nameOf = (id: string): string => were.get(id)?.name ?? id
    const scaled: RebalanceAction[] = []
    const moved: RebalanceAction[] = []
    for (const { agentId, name, instances, shares } of this.#agents) {
      const once = were.get(agentId)
      const from = once?.instances ?? instances
      if (from !== instances) {
        const action = instances > from ? 'grow' : 'shrink'
        const reason = this.#reasons.get(`${agentId} ${action}`) ?? ''
        scaled.push({ action, agentId, name, from, to: instances, reason, figures: of(agentId) })
      }
      for (const to of new Set([...(once?.shares ?? []), ...shares].map((share) => share.to))) {
        const percent = percentOf(shares, to)
        const given = percentOf(once?.shares ?? [], to)
        if (percent === given) continue
        moved.push({
          action: 'migrate',
          agentId,
          name,
          toAgentId: to,
          toName: nameOf(to),
          from: given,
          to: percent,
          reason: this.#reasons.get(`${agentId} ${to}`) ?? '',
          figures: of(agentId),
          toFigures: of(to),
        })
      }
    }
    // What is given back is there for who grows.
    return {
      actions: [...scaled.toSorted((a, b) => Number(a.to > a.from) - Number(b.to > b.from)), ...moved],
      overloaded: this.#agents.flatMap((agent): Overloaded[] => {
        const tasks = this.#excess(agent)
        const because = this.#bounds.get(agent.agentId) ?? 'No other agent has room for its work.'
        return tasks > NEAR ? [{ agentId: agent.agentId, name: agent.name, tasks, because }] : []
      }),
    }
  }

  /** What it has to do above its upper threshold; 0 or less: nothing. */
  #excess(agent: Planned): number {
    return this.#load(agent) - agent.scaleUpThreshold * slotsOf(agent)
  }

  #giversOf(agentId: string): Set<Planned> {
    const known = this.#givers.get(agentId) ?? new Set()
    this.#givers.set(agentId, known)
    return known
  }

  #load(agent: Planned): number {
    return loadOf(agent, [...this.#giversOf(agent.agentId)])
  }

  /** Takes back what an agent could do itself and stay halfway between its thresholds. */
  #takeBack(agent: Planned): void {
    for (const { to } of [...agent.shares])
      if (!this.#byId.has(to)) this.#share(agent, to, 0, 'It is not there any more, or has no instances.')
    const own = demandOf(agent) * agent.movable
    const half = ((agent.scaleUpThreshold + agent.scaleDownThreshold) / 2) * slotsOf(agent)
    const needed = own <= 0 ? 0 : Math.ceil((100 * (demandOf(agent) - half)) / own - NEAR)
    let tooMuch = totalOf(agent) - Math.max(0, needed)
    for (const { to, percent } of agent.shares.toReversed()) {
      if (tooMuch <= 0) break
      const less = Math.min(percent, tooMuch)
      tooMuch -= less
      this.#share(agent, to, percent - less, `Its ${tell(demandOf(agent))} tasks need no more of it.`)
    }
  }

  #shrink(agent: Planned): void {
    if (agent.isScaledByLoad) return
    const { agentId, instances } = agent
    const { min, max } = this.#range(agent)
    if (instances > max) {
      this.#scale(agent, max, `It had ${instances} instances and may have ${max}.`)
      return
    }
    if (isSlow(agent) || agent.shares.length > 0 || !agent.mayShrink) return
    const load = this.#load(agent)
    const needed = Math.max(min, neededFor(agent, load))
    if (load > agent.scaleDownThreshold * slotsOf(agent) || needed >= instances) return
    this.#bounds.delete(agentId)
    const low = `${Math.round(agent.scaleDownThreshold * 100)}%`
    this.#scale(agent, needed, `Its ${tell(load)} tasks take no more than ${low} of ${slotsOf(agent)} slots.`)
  }

  #grow(agent: Planned): void {
    if (agent.isScaledByLoad) {
      this.#bounds.set(agent.agentId, 'Its instances follow its load by themselves.')
      return
    }
    const { instances } = agent
    const { min } = this.#range(agent)
    if (instances < min) this.#growTo(agent, min, `It had ${instances} instances and is to have ${min}.`)
    const load = this.#load(agent)
    if (load - agent.scaleUpThreshold * slotsOf(agent) > NEAR)
      this.#growTo(agent, neededFor(agent, load), fillOf(agent, load))
    else if (isSlow(agent) && load > 0)
      this.#growTo(
        agent,
        agent.instances + 1,
        `95% of its attempts took up to ${tell(agent.responseP95Ms ?? 0)} ms; it is to be ${tell(agent.targetResponseMs ?? 0)} ms.`,
      )
  }

  /** Takes work from one that takes work of others and has too much to do. */
  #relieve(agent: Planned): void {
    for (const giver of [...this.#giversOf(agent.agentId)]) {
      const excess = this.#excess(agent)
      if (excess <= NEAR) return
      const percent = percentOf(giver.shares, agent.agentId)
      const own = demandOf(giver) * giver.movable
      if (percent === 0 || own <= 0) continue
      const less = Math.min(percent, Math.ceil((100 * excess) / own - NEAR))
      this.#share(giver, agent.agentId, percent - less, `"${agent.name}" has too much to do itself.`)
    }
  }

  #migrate(agent: Planned): void {
    const own = demandOf(agent) * agent.movable
    if (this.#excess(agent) <= NEAR || own <= 0 || this.#giversOf(agent.agentId).size > 0) return
    const takers = this.#agents
      .filter((other) => this.#canTake(agent, other))
      .sort(
        (a, b) =>
          percentOf(agent.shares, b.agentId) - percentOf(agent.shares, a.agentId) ||
          this.#excess(a) - this.#excess(b),
      )
    const full = fillOf(agent, this.#load(agent))
    for (const mayGrow of [false, true])
      for (const taker of takers) {
        const wanted = Math.ceil((100 * this.#excess(agent)) / own - NEAR)
        const room = Math.floor((100 * this.#room(taker, mayGrow)) / own + NEAR)
        const percent = Math.min(wanted, room, MOST_GIVEN - totalOf(agent), this.#paidFor(agent, taker))
        if (percent < 1) continue
        const reason = `${full} "${taker.name}" has the same capabilities, and room.`
        this.#share(agent, taker.agentId, percentOf(agent.shares, taker.agentId) + percent, reason)
        const load = this.#load(taker)
        if (load - taker.scaleUpThreshold * slotsOf(taker) > NEAR)
          this.#growTo(taker, neededFor(taker, load), `It takes over work of "${agent.name}".`)
      }
  }

  #canTake(agent: Planned, other: Planned): boolean {
    return (
      other !== agent &&
      other.isAvailable &&
      other.shares.length === 0 &&
      !isSlow(other) &&
      agent.capabilities.length > 0 &&
      agent.capabilities.every((each) => other.capabilities.includes(each))
    )
  }

  /** Tasks that it can take up to its upper threshold, with the instances it has or may have. */
  #room(agent: Planned, mayGrow: boolean): number {
    const more = mayGrow && !agent.isScaledByLoad ? this.#growth(agent, Number.POSITIVE_INFINITY).by : 0
    const slots = (agent.instances + more) * agent.tasksPerInstance
    return agent.scaleUpThreshold * slots - this.#load(agent)
  }

  /** How many percent more of its work the other's money is enough for, for a day. */
  #paidFor(agent: Planned, taker: Planned): number {
    if (taker.moneyLeftUsd === null || taker.costUsd <= 0) return 100
    const already = [...this.#giversOf(taker.agentId)].reduce(
      (sum, { tasksPerDay, movable, shares }) =>
        sum + (tasksPerDay * movable * percentOf(shares, taker.agentId)) / 100,
      0,
    )
    const perPercent = (agent.tasksPerDay * agent.movable * taker.costUsd) / 100
    if (perPercent <= 0) return taker.moneyLeftUsd > 0 ? 100 : 0
    return Math.floor((taker.moneyLeftUsd - already * taker.costUsd) / perPercent + NEAR)
  }

  /** Instances it may have, beside the others of its type. */
  #range(agent: Planned): { min: number; max: number } {
    const others = (this.#ofType.get(agent.type) ?? agent.instances) - agent.instances
    const max = Math.max(1, Math.min(agent.maxInstances, agent.maxPerType - others))
    return { max, min: Math.min(max, Math.max(1, agent.minInstances, agent.minPerType - others)) }
  }

  /** How many of so many more instances it may have, and what forbids the rest. */
  #growth(agent: Planned, wanted: number): { by: number; bound: string | undefined } {
    let by = this.#range(agent).max - agent.instances
    let bound = 'It has all instances that it may have.'
    if (agent.moneyLeftUsd !== null && agent.moneyLeftUsd <= 0) {
      by = 0
      bound = 'A budget has nothing left for it.'
    }
    for (const id of agent.quotas)
      for (const [kind, need] of entriesOf(agent.needs)) {
        const left = this.#quotas.get(id)?.[kind] ?? null
        if (left === null || need <= 0) continue
        const room = Math.floor(left / need + NEAR)
        if (room >= by) continue
        by = room
        bound = 'A quota has no room for more of its instances.'
      }
    by = Math.max(0, by)
    return by >= wanted ? { by: wanted, bound: undefined } : { by, bound }
  }

  #growTo(agent: Planned, wanted: number, reason: string): void {
    const { by, bound } = this.#growth(agent, wanted - agent.instances)
    if (bound === undefined) this.#bounds.delete(agent.agentId)
    else this.#bounds.set(agent.agentId, bound)
    if (by > 0) this.#scale(agent, agent.instances + by, reason)
  }

  #scale(agent: Planned, instances: number, reason: string): void {
    const more = instances - agent.instances
    this.#reasons.set(`${agent.agentId} ${more > 0 ? 'grow' : 'shrink'}`, reason)
    for (const id of agent.quotas) {
      const left = this.#quotas.get(id)
      if (!left) continue
      for (const [kind, need] of entriesOf(agent.needs)) {
        const free = left[kind]
        if (free !== null) left[kind] = free - more * need
      }
    }
    this.#ofType.set(agent.type, (this.#ofType.get(agent.type) ?? 0) + more)
    agent.instances = instances
    agent.mayShrink &&= more < 0
    agent.responseP95Ms = null
    this.#isChanged = true
  }

  #share(agent: Planned, to: string, percent: number, reason: string): void {
    this.#reasons.set(`${agent.agentId} ${to}`, reason)
    const share = agent.shares.find((each) => each.to === to)
    if (share) share.percent = percent
    else agent.shares.push({ to, percent })
    agent.shares = agent.shares.filter((each) => each.percent > 0)
    if (percent > 0) this.#giversOf(to).add(agent)
    else this.#giversOf(to).delete(agent)
    for (const each of [agent, this.#byId.get(to)]) if (each) each.responseP95Ms = null
    this.#isChanged = true
  }
}

const NO_FIGURES: RebalanceFigures = {
  tasksNow: 0,
  tasksPeak: null,
  slots: 0,
  utilisation: 0,
  responseP95Ms: null,
  costUsd: 0,
}

const slotsOf = ({ instances, tasksPerInstance }: Planned): number => instances * tasksPerInstance

const totalOf = ({ shares }: Planned): number => shares.reduce((sum, { percent }) => sum + percent, 0)

const percentOf = (shares: readonly { to: string; percent: number }[], to: string): number =>
  shares.reduce((sum, share) => (share.to === to ? sum + share.percent : sum), 0)

const isSlow = ({ responseP95Ms, targetResponseMs }: Planned): boolean =>
  responseP95Ms !== null && targetResponseMs !== null && responseP95Ms > targetResponseMs

/** Instances at which so many tasks are at the upper threshold or below. */
const neededFor = ({ scaleUpThreshold, tasksPerInstance }: Planned, tasks: number): number =>
  Math.ceil(tasks / (scaleUpThreshold * tasksPerInstance) - NEAR)

function figuresOf(agent: Planned, load: number): RebalanceFigures {
  const { tasksNow, tasksPeak, responseP95Ms, costUsd } = agent
  const slots = slotsOf(agent)
  return { tasksNow, tasksPeak, slots, utilisation: load / slots, responseP95Ms, costUsd }
}

/** Why it has too much to do, in words. */
const fillOf = (agent: Planned, load: number): string =>
  `Its ${tell(load)} tasks (${agent.tasksPeak !== null && agent.tasksPeak > agent.tasksNow ? 'expected at the peak of the next 24 hours' : 'now'}) ` +
  `take ${Math.round((100 * load) / slotsOf(agent))}% of ${slotsOf(agent)} slots; it is to be ${Math.round(agent.scaleUpThreshold * 100)}% at most.`

const tell = (amount: number): string => String(Math.round(amount * 10) / 10)

const KINDS = ['instances', 'memoryMb', 'cpuCores', 'storageMb', 'bandwidthMbps', 'tasks'] as const
const entriesOf = (needs: Allocation): [keyof Allocation, number][] =>
  KINDS.map((kind) => [kind, needs[kind]])
