import type pg from 'pg'
import type { Assignee } from '../../definitions/index.ts'
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

interface Known<T> {
  value: T
  until: number
}

export function createEngineNames(now: () => number = Date.now): EngineNames {
  const agents = new Map<string, Known<readonly NamedAgent[]>>()
  const versions = new Map<string, Known<NamedVersion>>()
  const asked = new Map<string, Promise<void>>()
  let turn = 0

  /** Many strands ask for the same name at the same moment: one of them reads it. */
  function once(key: string, read: () => Promise<void>): Promise<void> {
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

  async function readAgents(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    wanted: readonly Assignee[],
  ): Promise<void> {
    const missing = wanted.filter((each) => !fresh(agents, agentKey(o, each)))
    if (missing.length > 0)
      await once(`${o}/${JSON.stringify(missing.map(({ agent, capability }) => [agent, capability]))}`, () =>
        lookUpAgents(client, o, missing),
      )
  }

  async function lookUpAgents(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    missing: readonly Assignee[],
  ): Promise<void> {
    const { rows } = await client.query<NamedAgent & { capabilities: string[] }>(
      `select id, name, capabilities from agent where organization_id = $1 and retired_at is null
       and (name = any($2) or capabilities && $3::text[]) order by name`,
      [o, missing.flatMap(({ agent }) => agent ?? []), missing.flatMap(({ capability }) => capability ?? [])],
    )
    for (const each of missing) {
      const found = rows.filter((row) =>
        each.agent === undefined ? row.capabilities.includes(each.capability) : row.name === each.agent,
      )
      if (found.length > 0) keep(agents, agentKey(o, each), found)
    }
  }

  async function readVersions(
    client: Pick<pg.ClientBase, 'query'>,
    o: string,
    wanted: readonly { workflow: string; version?: number }[],
  ): Promise<void> {
    for (const { workflow, version } of wanted) {
      if (fresh(versions, versionKey(o, workflow, version))) continue
      const { rows } = await client.query<NamedVersion>(
        `select w.id as "workflowId", w.name as "workflowName", v.id as "versionId" from workflow w
         join workflow_version v on v.organization_id = w.organization_id and v.workflow_id = w.id
           and v.version = coalesce($3::int, w.published_version)
         where w.organization_id = $1 and w.name = $2`,
        [o, workflow, version ?? null],
      )
      if (rows[0]) keep(versions, versionKey(o, workflow, version), rows[0])
    }
  }

  return {
    async of(client, o, transitions) {
      const all = flatten(transitions)
      const assignees = all.flatMap((each) =>
        each.type === 'create_task' && each.kind === 'agent' ? [each] : [],
      )
      if (assignees.length > 0) await readAgents(client, o, assignees)
      const workflows = all.flatMap((each) =>
        each.type === 'create_task' && each.kind === 'workflow' ? [each] : [],
      )
      if (workflows.length > 0) await readVersions(client, o, workflows)
      return {
        agent(assignee) {
          const found = fresh(agents, agentKey(o, assignee))
          // Who has the capability takes its turn; a name stands for one.
          return found && found[assignee.agent === undefined ? turn++ % found.length : 0]
        },
        version: (workflow, version) => fresh(versions, versionKey(o, workflow, version)),
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
