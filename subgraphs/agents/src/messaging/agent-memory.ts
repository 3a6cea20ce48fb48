import type { Database } from '@tutti/prisma'
import { isId } from '@tutti/runtime'
import type { Actor } from '@tutti/schema'
import { isStorable } from '../configuration/find-unsafe-values.ts'
import { MOST_WAITING } from './agent-message.ts'

/** What changes elsewhere is noticed this soon, in milliseconds. */
const TRUST_MS = 1_000
const MOST_KNOWN = 20_000

/** An agent as messages meet it. */
export interface Correspondent {
  id: string
  name: string
  type: string
  status: string
  capabilities: readonly string[]
  teamId: string | null
  domainId: string | null
  /** Messages in its inbox, this process's newest counted: at most {@link MOST_WAITING} and one. */
  waiting: number
}

/** Whom a message goes to: one agent by name or id, or the least busy of a type or capability. */
export interface Target {
  agent?: string | null | undefined
  type?: string | null | undefined
  capability?: string | null | undefined
}

/** Agents as this process knows them, each read at most once a second, so that a message need not ask the database. */
export interface AgentMemory {
  /** The agent of this name or id, retired ones too; undefined when there is none. `anew`: as it is now. */
  find(actor: Actor, reference: string, anew?: boolean): Promise<Correspondent | undefined>
  /** Active agents of a type or with a capability, the least busy first. */
  able(actor: Actor, target: Target): Promise<Correspondent[]>
  /** Active agents of any of these domains, of these teams and with a capability, as they are now; null: of all. */
  active(actor: Actor, of: Group): Promise<Correspondent[]>
  /** Messages were put into its inbox. */
  add(agent: Correspondent, messages: number): void
}

/** To whom a broadcast goes; null: to all. */
export interface Group {
  domainIds: readonly string[] | null
  teamIds: readonly string[] | null
  capability: string | null
}

interface Known {
  agents: Correspondent[]
  until: number
}

const READ = `select a.id, a.name, a.type, a.status, a.capabilities, a.team_id as "teamId", t.domain_id as "domainId",
    (select count(*)::int from (select from agent_message m where m.organization_id = a.organization_id
       and m.to_agent_id = a.id and m.ended_at is null limit ${MOST_WAITING + 1}) w) as waiting
  from agent a left join team t on t.organization_id = a.organization_id and t.id = a.team_id
  where a.organization_id = $1::uuid`

function createAgentMemory(database: Database): AgentMemory {
  const known = new Map<string, Known>()
  const reading = new Map<string, Promise<Correspondent[]>>()

  async function read(key: string, actor: Actor, where: string, values: unknown[]): Promise<Correspondent[]> {
    const underWay = reading.get(key)
    if (underWay) return underWay
    const rows = database.readTenant<Correspondent>(actor, `${READ} and ${where}`, [
      actor.organizationId,
      ...values,
    ])
    reading.set(key, rows)
    try {
      const agents = await rows
      if (known.size > MOST_KNOWN) known.clear()
      if (agents.length > 0) known.set(key, { agents, until: performance.now() + TRUST_MS })
      return agents
    } finally {
      reading.delete(key)
    }
  }

  async function recall(key: string, anew: boolean, look: () => Promise<Correspondent[]>) {
    const before = known.get(key)
    return before && !anew && before.until > performance.now() ? before.agents : look()
  }

  return {
    async find(actor, reference, anew = false) {
      if (!isStorable(reference)) return undefined
      const key = `${actor.organizationId}/agent/${reference}`
      const id = isId(reference) ? reference : null
      const where = '(a.name = $2 or a.id = $3::uuid) order by a.id = $3::uuid desc nulls last limit 1'
      const [agent] = await recall(key, anew, () => read(key, actor, where, [reference, id]))
      return agent
    },
    async able(actor, { type = null, capability = null }) {
      if (![type, capability].every((text) => text === null || isStorable(text))) return []
      const key = `${actor.organizationId}/able/${JSON.stringify([type, capability])}`
      const where = `a.status = 'active' and ($2::text is null or a.type = $2)
        and ($3::text is null or $3 = any(a.capabilities))`
      const agents = await recall(key, false, () => read(key, actor, where, [type, capability]))
      return [...agents].sort((a, b) => a.waiting - b.waiting || (a.name < b.name ? -1 : 1))
    },
    active: (actor, { domainIds, teamIds, capability }) =>
      database.readTenant<Correspondent>(
        actor,
        `${READ} and a.status = 'active' and ($2::uuid[] is null or t.domain_id = any($2))
           and ($3::uuid[] is null or a.team_id = any($3)) and ($4::text is null or $4 = any(a.capabilities)) order by a.id`,
        [actor.organizationId, domainIds, teamIds, capability],
      ),
    add(agent, messages) {
      agent.waiting += messages
    },
  }
}

const memories = new WeakMap<Database, AgentMemory>()

/** The one memory of agents of a database in this process. */
export function agentMemoryOf(database: Database): AgentMemory {
  const before = memories.get(database)
  if (before) return before
  const memory = createAgentMemory(database)
  memories.set(database, memory)
  return memory
}
