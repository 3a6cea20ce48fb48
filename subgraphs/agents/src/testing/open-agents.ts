import { openTail } from '@tutti/prisma'
import { openTestDatabase } from '@tutti/prisma/testing'
import { bindSubgraph, createKms, createLog } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { agents } from '../index.ts'

/** The agents subgraph over a database of its own, until its end. */
export type AgentsWorld = Awaited<ReturnType<typeof openAgents>>

/** Opens it; its end closes all that was opened. */
export async function openAgents() {
  const world = await openTestDatabase()
  const tail = await openTail(world.database)
  const log = createLog('test', 'silent')
  const subgraph = bindSubgraph(agents, { ...world, tail, log, kms: createKms(world) }, log)
  return {
    world,
    tail,
    subgraph,
    /** What the API answers, as plain objects: the data; and of errors their codes, and all mistakes with their paths and words. */
    async ask(actor: Actor, query: string, variables: Record<string, unknown> = {}) {
      const { data, errors } = await subgraph.execute({ query, variables, actor })
      const mistakes = errors?.map(({ extensions, message }) => ({
        problems: Array.isArray(extensions['problems']) ? extensions['problems'] : [],
        alone: { path: extensions['argument'], message },
      }))
      const all = mistakes?.flatMap(({ problems, alone }) => (problems.length > 0 ? problems : [alone]))
      return {
        // Null prototypes of graphql's results compare unequal to plain objects.
        data: JSON.parse(JSON.stringify(data ?? null)),
        codes: errors?.map(({ extensions }) => extensions['code']),
        problems: mistakes?.flatMap(({ problems }) => problems),
        paths: all?.map(({ path }) => path),
        messages: all?.map(({ message }) => message),
      }
    },
    /** What was appended for an organization of one type, oldest first. */
    events: (actor: Actor, type: string) =>
      world.database.readTenant<{ subject: string; data: unknown }>(
        actor,
        'select subject, data from log.event where organization_id = $1::uuid and type = $2 order by seq',
        [actor.organizationId, type],
      ),
    async [Symbol.asyncDispose]() {
      await tail[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
}
