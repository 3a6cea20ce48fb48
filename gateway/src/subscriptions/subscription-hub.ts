import type { GraphQLError } from 'graphql'

import type { Admitted } from '../authorization/admit.ts'
import { authorityOf, groupActor } from '../authorization/authority.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { Executor } from '../graph/execute-operation.ts'
import type { Graph } from '../graph/load-graph.ts'
import type { PreparedOperation } from '../graph/prepare-operation.ts'
import type { SubgraphEndpoint } from '../subgraph/subgraph-endpoint.ts'
import { EventStream, type Member } from './event-stream.ts'
import type { Subscriber } from './shared-message.ts'
import { planSubscription, type SubscriptionPlan } from './subscription-plan.ts'

/** What the hub has done and holds; numbers since the start. */
export interface HubCounts {
  upstreams: number
  executions: number
  deliveries: number
  /** Open now. */
  streams: number
  members: number
}

/** Feeds subscribers; identical subscriptions share upstream, execution and message. */
export interface SubscriptionHub {
  /**
   * Joins, and returns how to leave; or the client's errors. It goes on after the later of `resume` and the
   * document's own `after`.
   */
  join(
    admitted: Admitted,
    options: JoinOptions,
    subscriber: Subscriber,
  ): (() => void) | readonly GraphQLError[]
  counts(): HubCounts
  stop(): void
}

export interface JoinOptions {
  variables: Record<string, unknown>
  resume?: string | null
}

export interface HubParts {
  graph: Graph
  executor: Executor
  subgraphs: readonly SubgraphEndpoint[]
  present: PresentError
  compareCursors(a: string, b: string): number
  outageMs: number
}

/** All streams of one shared subscription: the live one, and those that catch up from a cursor. */
interface Group {
  live: EventStream | null
  catchingUp: Set<EventStream>
}

/** Makes the hub of one graph. */
export function createHub(parts: HubParts): SubscriptionHub {
  const subgraphs = new Map(parts.subgraphs.map((subgraph) => [subgraph.name, subgraph]))
  const plans = new WeakMap<PreparedOperation, SubscriptionPlan>()
  const groups = new Map<string, Group>()
  const counts = { upstreams: 0, executions: 0, deliveries: 0 }

  const planOf = (operation: PreparedOperation): SubscriptionPlan => {
    const known = plans.get(operation)
    if (known !== undefined) return known
    const plan = planSubscription(parts.graph, parts.executor, subgraphs, operation)
    plans.set(operation, plan)
    return plan
  }

  /** A stream that caught up with the one that is furthest hands its members over and ends. */
  const merge = (group: Group): void => {
    const furthest = furthestOf(group, parts.compareCursors)
    if (furthest === null) return
    for (const stream of group.catchingUp) {
      if (stream === furthest || stream.last === null || !furthest.covers(stream.last)) continue
      for (const member of [...stream.members]) furthest.adopt(member)
      stream.stop()
    }
  }

  return {
    join(admitted, { variables, resume }, subscriber) {
      const { operation, actor } = admitted
      const errors = parts.executor.checkVariables(operation, variables)
      if (errors.length > 0) return errors
      const plan = planOf(operation)
      const { shared, key: variablesKey, after: given } = plan.split(variables)
      const after = plan.resumable ? later(given, resume ?? null, parts.compareCursors) : null
      const personal = operation.access.personal
      const executesAs = actor === null || personal ? actor : groupActor(actor)
      const who =
        actor === null
          ? ''
          : `${actor.organizationId}\n${authorityOf(actor)}\n${personal ? `${actor.kind} ${actor.id}` : ''}`
      const key = `${who}\n${variablesKey}\n${plan.key}`

      let group = groups.get(key)
      if (group === undefined) {
        group = { live: null, catchingUp: new Set() }
        groups.set(key, group)
      }
      const home = group
      const open = (from: string | null): EventStream => {
        const stream = new EventStream({
          plan,
          variables: shared,
          actor: executesAs,
          from,
          present: parts.present,
          compare: parts.compareCursors,
          outageMs: parts.outageMs,
          onDelivered: () => merge(home),
          onEnded: () => {
            home.catchingUp.delete(stream)
            if (home.live === stream) home.live = null
            if (home.live === null && home.catchingUp.size === 0 && groups.get(key) === home)
              groups.delete(key)
          },
          count: (what) => {
            counts[what] += 1
          },
        })
        if (from === null) home.live = stream
        else home.catchingUp.add(stream)
        return stream
      }

      const member: Member = { subscriber, last: after, stream: null }
      const streams = [...(home.live === null ? [] : [home.live]), ...home.catchingUp]
      const known = after === null ? home.live : (streams.find((stream) => stream.covers(after)) ?? null)
      const stream = known ?? open(after)
      stream.adopt(member)
      if (known === null) void stream.run()
      return () => member.stream?.release(member)
    },
    counts() {
      const open = [...groups.values()].flatMap((group) => [
        ...(group.live === null ? [] : [group.live]),
        ...group.catchingUp,
      ])
      return {
        ...counts,
        streams: open.length,
        members: open.reduce((sum, stream) => sum + stream.members.size, 0),
      }
    },
    stop() {
      for (const group of [...groups.values()]) {
        group.live?.stop()
        for (const stream of [...group.catchingUp]) stream.stop()
      }
    },
  }
}

/** The live stream once it knows where it is; before that, of those that catch up the one that is ahead. */
function furthestOf(group: Group, compare: (a: string, b: string) => number): EventStream | null {
  if (group.live !== null && group.live.floor !== null) return group.live
  return [...group.catchingUp].reduce<EventStream | null>(
    (best, stream) =>
      best === null || best.last === null || (stream.last !== null && compare(stream.last, best.last) > 0)
        ? stream
        : best,
    null,
  )
}

/** A browser's EventSource repeats its first address, so what it resumes from may be later than what it says. */
function later(a: string | null, b: string | null, compare: (a: string, b: string) => number): string | null {
  if (a === null || b === null) return a ?? b
  return compare(a, b) >= 0 ? a : b
}
