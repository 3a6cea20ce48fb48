import { openTail, type Tail } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createLog } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import type { WorkflowNode } from '../../definitions/index.ts'
import { workflows } from '../../index.ts'
import { z } from 'zod'

/** What a call came to. */
export interface Asked {
  data: Record<string, unknown>
  code: string | null
  extensions: { argument?: string; problems?: { path: string; message: string }[]; hint?: string }
}

/** The subgraph on a database of its own, and what tests of triggers ask of it. */
export interface TriggerWorld extends AsyncDisposable {
  test: TestDatabase
  database: TestDatabase['database']
  tail: Tail
  services: ReturnType<typeof servicesOf>
  organization: TestDatabase['organization']
  ask(actor: Actor, query: string, variables?: Record<string, unknown>): Promise<Asked>
  /** A published workflow of these steps, one after the other; without any, one that waits for ever. */
  workflow(actor: Actor, options?: { name?: string; nodes?: WorkflowNode[] }): Promise<string>
  /** A trigger by the public mutation; its id and what its webhook is shown. */
  trigger(
    actor: Actor,
    input: Record<string, unknown>,
  ): Promise<{ id: string; webhook: { path: string; signingSecret: string | null } | null }>
  /** Firings as stored, oldest first. */
  firings(actor: Actor, triggerId?: string): Promise<StoredFiring[]>
  runs(actor: Actor): Promise<StoredRun[]>
  /** The organization's events of a type beginning so, oldest first. */
  events(actor: Actor, beginning: string): Promise<EventRecord[]>
}

export interface StoredFiring {
  id: string
  occurrence: string
  status: string
  missed: number
  depth: number
  runId: string | null
  scheduledAt: Date | null
  error: { code: string; message: string } | null
}

export interface StoredRun {
  id: string
  status: string
  input: unknown
  triggerId: string | null
  priority: number
  idempotencyKey: string | null
  startedBy: { id: string; kind: string; name: string }
}

const log = createLog('test', process.env['TUTTI_TEST_LOG'] ?? 'silent')
const servicesOf = (test: TestDatabase) => ({
  database: test.database,
  secret: test.secret,
  log,
  wake: (): void => undefined,
})

const FOR_EVER: WorkflowNode = { id: 'rest', kind: 'wait', for: { type: 'duration', ms: 10 ** 10 } }
const CREATE = `mutation($input: CreateTriggerInput!) {
  createTrigger(input: $input) { trigger { id } webhook { path signingSecret } }
}`

const createdSchema = z.object({
  trigger: z.object({ id: z.string() }),
  webhook: z.object({ path: z.string(), signingSecret: z.string().nullable() }).nullable(),
})

/** Opens it; dispose it. */
export async function openTriggerWorld(): Promise<TriggerWorld> {
  const test = await openTestDatabase()
  const tail = await openTail(test.database)
  const services = servicesOf(test)
  const subgraph = bindSubgraph(workflows, { ...services, tail }, log)
  const { database } = test

  async function ask(actor: Actor, query: string, variables: Record<string, unknown> = {}): Promise<Asked> {
    const result = await subgraph.execute({ query, variables, actor })
    const { data, errors } = JSON.parse(JSON.stringify(result))
    const extensions = errors?.[0]?.extensions ?? {}
    return { data: data ?? {}, code: extensions.code ?? null, extensions }
  }

  return {
    test,
    database,
    tail,
    services,
    ask,
    organization: test.organization,
    async workflow(actor, { name = `flow-${crypto.randomUUID()}`, nodes = [FOR_EVER] } = {}) {
      const { organizationId } = actor
      const order = nodes.map((node) => node.id)
      const definition = {
        format: 'tutti/1',
        name,
        entry: order[0],
        inputs: [],
        order,
        nodes: Object.fromEntries(nodes.map((node) => [node.id, node])),
        edges: order.slice(1).map((to, index) => ({ from: order[index], to, on: 'done' })),
        errorHandling: {
          retry: { maxAttempts: 1, initialDelayMs: 0, factor: 1, maxDelayMs: 0 },
          timeoutMs: 60_000,
        },
      }
      return database.inTenant(actor, async ({ db }) => {
        const workflow = await db.workflow.create({
          data: { organizationId, name, latestVersion: 1, publishedVersion: 1 },
        })
        await db.workflowVersion.create({
          data: {
            organizationId,
            workflowId: workflow.id,
            version: 1,
            source: name,
            sourceHash: name,
            definition: JSON.parse(JSON.stringify(definition)),
            publishedAt: new Date(),
          },
        })
        return workflow.id
      })
    },
    async trigger(actor, input) {
      const { data, extensions } = await ask(actor, CREATE, {
        input: { name: `trigger-${crypto.randomUUID()}`, ...input },
      })
      if (!data['createTrigger']) throw new Error(JSON.stringify(extensions))
      const { trigger, webhook } = createdSchema.parse(data['createTrigger'])
      return { id: trigger.id, webhook }
    },
    firings: (actor, triggerId) =>
      database.readTenant<StoredFiring>(
        actor,
        `select id, occurrence, status, missed, depth, run_id as "runId", scheduled_at as "scheduledAt", error
         from trigger_firing where organization_id = $1 and ($2::uuid is null or trigger_id = $2)
         order by scheduled_at, id`,
        [actor.organizationId, triggerId ?? null],
      ),
    runs: (actor) =>
      database.readTenant<StoredRun>(
        actor,
        `select id, status, input, trigger_id as "triggerId", priority, idempotency_key as "idempotencyKey",
           started_by as "startedBy" from run where organization_id = $1 order by id`,
        [actor.organizationId],
      ),
    events: (actor, beginning) =>
      database.readTenant<EventRecord & Record<string, unknown>>(
        actor,
        `select organization_id as "organizationId", seq, id, type, subject, actor, data, time from log.event
         where organization_id = $1 and type like $2 order by seq`,
        [actor.organizationId, `${beginning}%`],
      ),
    async [Symbol.asyncDispose]() {
      await tail[Symbol.asyncDispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}
