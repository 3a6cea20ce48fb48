import { openTail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import { workflows } from '../index.ts'
import type { ExecuteTask, RecoverOverdue } from '../engine/worker/attempt.ts'
import { startTaskRunner } from '../engine/worker/task-runner.ts'
import { startRuns } from '../runs/start-runs.ts'
import { applyWorkflow } from '../workflows/apply-workflow.ts'

/** The subgraph with workers of the test's making, on a database of its own. */
export interface Engine extends AsyncDisposable {
  world: TestDatabase
  /** An organization with agents of these names. */
  organization(...agents: string[]): Promise<Actor>
  /** What the API answers; its errors are thrown, as `CODE: message`. */
  ask<Data = Record<string, never>>(
    actor: Actor,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<Data>
  /** Applies a document and starts a run of it. */
  start(actor: Actor, document: string, input?: Record<string, unknown>): Promise<string>
  /** A worker, until the test ends or it is stopped. What another test left behind, it completes. */
  work(
    actor: Actor,
    execute: ExecuteTask,
    concurrency?: number,
    recoverOverdue?: RecoverOverdue,
  ): AsyncDisposable
  /** The first event that fits, of the past or to come. */
  event(actor: Actor, type: RegExp, matches?: (event: EventRecord) => boolean): Promise<EventRecord>
  /** Rows as SQL has them, of one organization. */
  rows<Row extends object>(actor: Actor, text: string, parameters?: unknown[]): Promise<Row[]>
}

/** Opens it; whatever was started stops with it. */
export async function openEngine(): Promise<Engine> {
  const log = createLog('test', 'silent')
  const world = await openTestDatabase()
  const { database } = world
  const tail = await openTail(database)
  const runners = new Set<ReturnType<typeof startTaskRunner>>()
  const wake = (): void => {
    for (const runner of runners) runner.wake()
  }
  const services = { database, tail, log, wake, secret: world.secret }
  const subgraph = bindSubgraph(workflows, services, log)

  return {
    world,
    async organization(...agents) {
      const actor = await world.organization()
      await database.inTenant(actor, (tx) =>
        tx.db.agent.createMany({
          data: agents.map((name) => ({
            organizationId: actor.organizationId,
            name,
            type: 'test',
            version: '1',
            executor: {},
            configuration: {},
            configurationHash: name,
          })),
        }),
      )
      return actor
    },
    async ask(actor, query, variables = {}) {
      const { data, errors } = await subgraph.execute({ query, variables, actor })
      if (errors)
        throw new Error(
          errors.map(({ extensions, message }) => `${String(extensions['code'])}: ${message}`).join(),
        )
      // Null prototypes of graphql's results compare unequal to plain objects.
      return JSON.parse(JSON.stringify(data))
    },
    async start(actor, document, input = {}) {
      const { id } = await applyWorkflow(services, actor, document)
      const [run] = await startRuns(services, actor, [{ workflowId: id, input }], String)
      return run?.id ?? ''
    },
    work({ organizationId }, execute, concurrency = 16, recoverOverdue) {
      const ours: ExecuteTask = async (task, signal, beat) =>
        task.organizationId === organizationId
          ? execute(task, signal, beat)
          : { type: 'succeeded', output: null }
      const runner = startTaskRunner({ database, execute: ours, recoverOverdue, log, concurrency }, 500)
      runners.add(runner)
      return {
        async [Symbol.asyncDispose]() {
          if (runners.delete(runner)) await runner[Symbol.asyncDispose]()
        },
      }
    },
    async event(actor, type, matches = () => true) {
      const { organizationId } = actor
      const feed = tail.subscribe({ organizationId, matches }, { after: '0'.repeat(13) })
      for await (const event of feed) if (type.test(event.type)) return event
      throw new Error('The feed ended.')
    },
    rows: (actor, text, parameters = []) =>
      database.readTenant(actor, text, [actor.organizationId, ...parameters]),
    async [Symbol.asyncDispose]() {
      for (const runner of runners) await runner[Symbol.asyncDispose]()
      await tail[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}
