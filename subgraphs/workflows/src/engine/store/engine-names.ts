import type pg from 'pg'
import type { Assignee, WorkflowDefinition } from '../../definitions/index.ts'
import type { Transition } from '../core/index.ts'

const TRUST_MS = 5_000
const MOST = 10_000

/** An agent as a task names it. */
export interface NamedAgent {
  id: string
  name: string
}

/** The version a sub-workflow step begins. */
export interface NamedVersion {
  workflowId: string
  workflowName: string
  versionId: string
  /** Its limit on runs by key, if it has one. */
  concurrency?: WorkflowDefinition['concurrency'] | null
}

/** What the names in transitions stand for. */
export interface Names {
  agent(assignee: Assignee): NamedAgent | undefined
  version(workflow: string, version: number | undefined): NamedVersion | undefined
}

/** Agents by name or capability and versions by workflow, of one organization, remembered for five seconds. */
export interface EngineNames {
  of(
    client: Pick<pg.ClientBase, 'query'>,
    organizationId: string,
    transitions: readonly Transition[],
  ): Promise<Names>
}

/** By `agentKey`. */
type Agents = ReadonlyMap<string, readonly NamedAgent[]>

interface Known<T> {
  value: T
  until: number
}

export function createEngineNames(now: () => number = Date.now): EngineNames {
  const agents = new Map<string, Known<readonly NamedAgent[]>>()
  const versions = new Map<string, Known<NamedVersion>>()
  const asked = new Map<string, Promise<Agents>>()
  let turn = 0

  /** Many strands ask for the same name at the same moment: one of them reads it. */
  function once(key: string, read: () => Promise<Agents>): Promise<Agents> {
    const known = asked.get(key)
    if (known) return known
    const reading = read().finally(() => asked.delete(key))
    asked.set(key, reading)
    return reading
  }

  function fresh<T>(known: Map<string, Known<T>>, key: string): T | undefined {
    const entry = known.get(key)
    return entry && entry.until > now() ? entry.value : undefined
  }

  function keep<T>(known: Map<string, Known<T>>, key: string, value: T): void {
    if (known.size > MOST) known.clear()
    known.set(key, { value, until: now() + TRUST_MS })
  }

  /** What is trusted now counts, although it may be too old once the rest has been read. */
  async function agentsOf(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    wanted: readonly Assignee[],
  ): Promise<Agents> {
    const found = new Map<string, readonly NamedAgent[]>()
    const missing: Assignee[] = []
    for (const each of wanted) {
      const known = fresh(agents, agentKey(o, each))
      if (known) found.set(agentKey(o, each), known)
      else missing.push(each)
    }
    if (missing.length === 0) return found
    const key = `${o}/${JSON.stringify(missing.map(({ agent, capability }) => [agent, capability]))}`
    const read = await once(key, () => lookUpAgents(client, o, missing))
    return new Map([...found, ...read])
  }

  async function lookUpAgents(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    missing: readonly Assignee[],
  ): Promise<Agents> {
    const { rows } = await client.query<NamedAgent & { capabilities: string[] }>(
      `select id, name, capabilities from agent where organization_id = $1 and retired_at is null
       and (name = any($2) or capabilities && $3::text[]) order by name`,
      [o, missing.flatMap(({ agent }) => agent ?? []), missing.flatMap(({ capability }) => capability ?? [])],
    )
    const read = new Map<string, readonly NamedAgent[]>()
    for (const each of missing) {
      const found = rows.filter((row) =>
        each.agent === undefined ? row.capabilities.includes(each.capability) : row.name === each.agent,
      )
      if (found.length === 0) continue
      read.set(agentKey(o, each), found)
      keep(agents, agentKey(o, each), found)
    }
    return read
  }

  async function versionsOf(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    wanted: readonly { workflow: string; version?: number }[],
  ): Promise<ReadonlyMap<string, NamedVersion>> {
    const found = new Map<string, NamedVersion>()
    for (const { workflow, version } of wanted) {
      const key = versionKey(o, workflow, version)
      const known = fresh(versions, key)
      const value = known ?? (await lookUpVersion(client, o, workflow, version))
      if (!value) continue
      found.set(key, value)
      if (!known) keep(versions, key, value)
    }
    return found
  }

  async function lookUpVersion(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    workflow: string,
    version: number | undefined,
  ): Promise<NamedVersion | undefined> {
    const { rows } = await client.query<NamedVersion>(
      `select w.id as "workflowId", w.name as "workflowName", v.id as "versionId",
         v.definition->'concurrency' as concurrency from workflow w
       join workflow_version v on v.organization_id = w.organization_id and v.workflow_id = w.id
         and v.version = coalesce($3::int, w.published_version)
       where w.organization_id = $1 and w.name = $2`,
      [o, workflow, version ?? null],
    )
    return rows[0]
  }

  return {
    async of(client, o, transitions) {
      const all = flatten(transitions)
      const assignees = all.flatMap((each): Assignee[] => {
        if (each.type !== 'create_task') return []
        if (each.kind === 'message') return [{ agent: each.to }]
        return each.kind === 'agent' ? [each] : []
      })
      const workflows = all.flatMap((each) =>
        each.type === 'create_task' && each.kind === 'workflow' ? [each] : [],
      )
      const agentsFound = assignees.length > 0 ? await agentsOf(client, o, assignees) : undefined
      const versionsFound = workflows.length > 0 ? await versionsOf(client, o, workflows) : undefined
      return {
        agent(assignee) {
          const found = agentsFound?.get(agentKey(o, assignee))
          // Who has the capability takes its turn; a name stands for one.
          return found && found[assignee.agent === undefined ? turn++ % found.length : 0]
        },
        version: (workflow, version) => versionsFound?.get(versionKey(o, workflow, version)),
      }
    },
  }
}

/** The transitions with those of the strands they begin. */
export function flatten(transitions: readonly Transition[]): Transition[] {
  return transitions.flatMap((each) =>
    each.type === 'start_strands'
      ? [each, ...each.strands.flatMap((strand) => flatten(strand.transitions ?? []))]
      : [each],
  )
}

const agentKey = (o: string, { agent, capability }: Assignee): string =>
  `${o}/${agent ?? ''}/${capability ?? ''}`
const versionKey = (o: string, workflow: string, version: number | undefined): string =>
  `${o}/${workflow}/${version ?? ''}`
