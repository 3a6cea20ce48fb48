import { setTimeout as sleep } from 'node:timers/promises'
import { buildSubgraphSchema } from '@apollo/subgraph'
import type { Actor } from '@tutti/schema'
import { type GraphQLSchema, parse } from 'graphql'

import { testSdl } from './compose.ts'

export interface TestEvent {
  cursor: string
  kind: string
  at: number
  taskId: string
  /** Only this person sees it in `myEvents`. */
  for?: string
}

/** What a resolver of the test subgraphs gets. */
export interface TestContext {
  actor: Actor | null
  /** Aborts when nobody listens any more; given by `@tutti/runtime`. */
  signal?: AbortSignal
}

/** In-memory subgraphs over one log of events, and what was asked of them. */
export interface TestWorld {
  schemas: Record<string, GraphQLSchema>
  /** Appends an event and tells everybody; returns it. */
  emit(event?: { kind?: string; taskId?: string; for?: string }): TestEvent
  /** Upstream subscriptions open now. */
  readonly listeners: number
  /** Entity and root fetches so far, by `<subgraph>.<what>`. */
  readonly asked: Record<string, number>
  /** Who executed the subscription fields and entity reads. */
  readonly actors: (Actor | null)[]
  /** Ids for which the quality subgraph fails, or answers null. */
  readonly failing: Set<string>
  readonly absent: Set<string>
}

/** Makes a world; tasks and agents exist for every id. */
export function createTestWorld(options: { open?: boolean } = {}): TestWorld {
  const log: TestEvent[] = []
  const waiting = new Set<() => void>()
  const asked: Record<string, number> = {}
  const actors: (Actor | null)[] = []
  const failing = new Set<string>()
  const absent = new Set<string>()
  let listeners = 0
  const count = (what: string): void => {
    asked[what] = (asked[what] ?? 0) + 1
  }
  const taskOf = (id: string) => ({
    id,
    title: `Task ${id}`,
    agent: { id: `a${Number.parseInt(id, 10) % 97}` },
  })
  const agentOf = (id: string) => ({ id, name: `Agent ${id}`, team: `Team ${id.length}`, salary: 7 })

  const subscribeFrom = (
    after: string | null | undefined,
    wants: (event: TestEvent) => boolean,
    signal?: AbortSignal,
  ): AsyncIterable<TestEvent> => ({
    [Symbol.asyncIterator]() {
      let index = after ? log.findIndex((event) => event.cursor > after) : log.length
      if (index === -1) index = log.length
      let ended = false
      let wake: (() => void) | null = null
      const onEvent = () => wake?.()
      listeners += 1
      waiting.add(onEvent)
      const iterator: AsyncIterator<TestEvent> & { return(): Promise<IteratorResult<TestEvent>> } = {
        async next() {
          while (!ended) {
            const event = log[index]
            if (event === undefined) {
              await new Promise<void>((resolve) => {
                wake = resolve
              })
              continue
            }
            index += 1
            if (wants(event)) return { done: false, value: event }
          }
          return { done: true, value: undefined }
        },
        async return() {
          if (!ended) {
            ended = true
            listeners -= 1
            waiting.delete(onEvent)
            wake?.()
          }
          return { done: true, value: undefined }
        },
      }
      signal?.addEventListener('abort', () => void iterator.return(), { once: true })
      return iterator
    },
  })
  const asEvent = (event: TestEvent) => ({ ...event, task: taskOf(event.taskId) })

  const resolvers: Record<
    string,
    Parameters<typeof buildSubgraphSchema>[0] extends infer _ ? Record<string, object> : never
  > = {
    agents: {
      Query: {
        agent(_: unknown, { id }: { id: string }) {
          count('agents.root')
          return agentOf(id)
        },
      },
      Agent: {
        __resolveReference({ id }: { id: string }, { actor }: TestContext) {
          count('agents.entity')
          actors.push(actor)
          return agentOf(id)
        },
      },
    },
    tasks: {
      Query: {
        task(_: unknown, { id }: { id: string }) {
          count('tasks.root')
          return taskOf(id)
        },
        tasks(_: unknown, { first, from }: { first: number; from: number }) {
          count('tasks.root')
          return Array.from({ length: first }, (_each, index) => taskOf(String(from + index)))
        },
        work: () => [
          { __typename: 'Task', ...taskOf('1') },
          { __typename: 'Chore', id: 'c', title: 'secret chore' },
        ],
        async slow(_: unknown, { ms }: { ms: number }) {
          await sleep(ms)
          return 'done'
        },
        secret: () => 'secret',
        broken() {
          throw new Error('password is hunter2')
        },
      },
      Mutation: {
        finishTask(_: unknown, { id }: { id: string }) {
          count('tasks.mutation')
          return taskOf(id)
        },
      },
      Subscription: {
        taskEvents: {
          subscribe(
            _: unknown,
            { after, kind }: { after?: string; kind?: string },
            { actor, signal }: TestContext,
          ) {
            actors.push(actor)
            return subscribeFrom(
              after,
              (event) => event.for === undefined && (!kind || event.kind === kind),
              signal,
            )
          },
          resolve: asEvent,
        },
        myEvents: {
          subscribe(_: unknown, { after }: { after?: string }, { actor, signal }: TestContext) {
            actors.push(actor)
            return subscribeFrom(after, (event) => event.for === actor?.id, signal)
          },
          resolve: asEvent,
        },
        controlEvents: { subscribe: () => subscribeFrom(null, () => true), resolve: asEvent },
      },
    },
    quality: {
      Query: { worst: () => ({ id: '1' }) },
      Task: {
        __resolveReference({ id }: { id: string }) {
          count('quality.entity')
          if (failing.has(id)) throw new Error('quality is down, password hunter2')
          return absent.has(id) ? null : { id }
        },
        quality: ({ id }: { id: string }) => ({
          score: (Number.parseInt(id, 10) % 100) / 100,
          verdict: 'fine',
        }),
      },
    },
  }

  const schemas: Record<string, GraphQLSchema> = {}
  for (const [name, sdl] of Object.entries(testSdl(options.open ?? false))) {
    schemas[name] = buildSubgraphSchema({
      typeDefs: parse(sdl),
      resolvers: resolvers[name] ?? {},
    } as Parameters<typeof buildSubgraphSchema>[0])
  }
  return {
    schemas,
    asked,
    actors,
    failing,
    absent,
    get listeners() {
      return listeners
    },
    emit({ kind = 'moved', taskId = String(log.length + 1), for: person } = {}) {
      const event: TestEvent = {
        cursor: (log.length + 1).toString(36).padStart(13, '0'),
        kind,
        at: performance.timeOrigin + performance.now(),
        taskId,
        ...(person === undefined ? {} : { for: person }),
      }
      log.push(event)
      for (const wake of [...waiting]) wake()
      return event
    },
  }
}
