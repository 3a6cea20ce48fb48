import type { FailureKind, RecoveryAction } from '@tutti/schema'
import type pg from 'pg'
import type { Assignee, WorkflowDefinition } from '../../definitions/index.ts'
import { assign, type Assignment, type Wish } from '../../assignment/assign.ts'
import {
  CANDIDATES,
  type CandidateRow,
  type KnownCandidate,
  knownCandidate,
} from '../../assignment/candidate-row.ts'
import { recover } from '../../recovery/recover.ts'
import type { Transition } from '../core/index.ts'
import { UNDO } from '../core/steps/compensation.ts'

const TRUST_MS = 5_000
/** Of who has a capability: also how each is, which changes sooner. */
const TRUST_CANDIDATES_MS = 1_000
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

/** An agent, and why it of those that have the capability. */
export interface AssignedAgent extends NamedAgent {
  assignment?: Assignment
}

/** What a task is of, as far as it matters for who does it. */
export interface Work {
  runId: string
  /** A branch or item: such work is spread, and does not stay with one agent. */
  isChild: boolean
  path: string
  /** Who did the step before it on the same strand. */
  after: string | null
}

/** An attempt that failed and is repeated. */
export interface FailedAttempt {
  agentId: string | null
  kind: FailureKind
  attempt: number
}

/** What the names in transitions stand for. */
export interface Names {
  agent(assignee: Assignee, work?: Work): AssignedAgent | undefined
  /** What is done about a failed attempt at a step by capability, and who makes the next; absent: the same agent. */
  again?(
    assignee: Assignee,
    work: Work,
    failed: FailedAttempt,
  ): { action: RecoveryAction; agent?: AssignedAgent } | undefined
  version(workflow: string, version: number | undefined): NamedVersion | undefined
}

/** Agents by name or capability and versions by workflow, of one organization, remembered for five seconds. */
export interface EngineNames {
  of(
    client: Pick<pg.ClientBase, 'query'>,
    organizationId: string,
    transitions: readonly Transition[],
    definition?: Pick<WorkflowDefinition, 'nodes'>,
  ): Promise<Names>
}

/** By `agentKey`. Those of a capability count what they are given until they are read again. */
type Agents = ReadonlyMap<string, readonly (NamedAgent | KnownCandidate)[]>

interface Known<T> {
  value: T
  until: number
}

export function createEngineNames(now: () => number = Date.now): EngineNames {
  const agents = new Map<string, Known<readonly (NamedAgent | KnownCandidate)[]>>()
  /** Who did a run's last work of a capability; and the domains of agents. */
  const before = new Map<string, string>()
  const domains = new Map<string, string | null>()
  const versions = new Map<string, Known<NamedVersion>>()
  const asked = new Map<string, Promise<Agents>>()

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

  function keep<T>(known: Map<string, Known<T>>, key: string, value: T, trustMs = TRUST_MS): void {
    if (known.size > MOST) known.clear()
    known.set(key, { value, until: now() + trustMs })
  }

  function remember<T>(known: Map<string, T>, key: string, value: T): void {
    if (known.size > MOST) known.clear()
    known.set(key, value)
  }

  /** Chooses by capability, and counts it. */
  function choose(
    o: string,
    capability: string,
    among: readonly KnownCandidate[],
    { runId, isChild, path, after }: Work,
  ): AssignedAgent | undefined {
    const sticky = `${o}/${runId}/${capability}`
    const wish: Wish = {
      domainId: (after === null ? undefined : domains.get(after)) ?? null,
      before: isChild ? null : (before.get(sticky) ?? null),
      key: isChild ? `${runId}/${path}` : runId,
    }
    const found = assign(among, wish)
    if (!found) return undefined
    const { id, name } = found.agent
    const chosen = among.find((each) => each.id === id)
    if (chosen) {
      chosen.running += 1
      if (chosen.trial) Object.assign(chosen, { trial: false, unavailable: 'breaker_open' })
    }
    if (!isChild) remember(before, sticky, id)
    return { id, name, assignment: found.assignment }
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
    const names = missing.flatMap(({ agent }) => agent ?? [])
    const capabilities = missing.flatMap(({ capability }) => capability ?? [])
    const read = new Map<string, readonly (NamedAgent | KnownCandidate)[]>()
    if (capabilities.length > 0) {
      const { rows } = await client.query<CandidateRow>(CANDIDATES, [o, capabilities])
      for (const { id, domainId } of rows) remember(domains, id, domainId)
      for (const capability of capabilities) {
        const found = rows.filter((row) => row.capabilities.includes(capability)).map(knownCandidate)
        if (found.length === 0) continue
        read.set(agentKey(o, { capability }), found)
        keep(agents, agentKey(o, { capability }), found, TRUST_CANDIDATES_MS)
      }
    }
    if (names.length > 0) {
      const { rows } = await client.query<NamedAgent & { domainId: string | null }>(
        `select a.id, a.name, t.domain_id as "domainId" from agent a
         left join team t on t.organization_id = a.organization_id and t.id = a.team_id
         where a.organization_id = $1 and a.status <> 'deploying' and a.name = any($2)`,
        [o, names],
      )
      for (const { id, name, domainId } of rows) {
        remember(domains, id, domainId)
        read.set(agentKey(o, { agent: name }), [{ id, name }])
        keep(agents, agentKey(o, { agent: name }), [{ id, name }])
      }
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
    async of(client, o, transitions, definition) {
      const all = flatten(transitions)
      const assignees = all.flatMap((each): Assignee[] => {
        if (each.type === 'retry_task') {
          const again = definition && whoAgain(definition, each)
          return again ? [again] : []
        }
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
        agent(assignee, work = NO_WORK) {
          const found = agentsFound?.get(agentKey(o, assignee))
          if (assignee.agent !== undefined || !found) return found?.[0]
          return choose(o, assignee.capability, found.filter(isCandidate), work)
        },
        again(assignee, work, { agentId, kind, attempt }) {
          if (assignee.agent !== undefined) return undefined
          const found = (agentsFound?.get(agentKey(o, assignee)) ?? []).filter(isCandidate)
          const failed = found.find(({ id }) => id === agentId)
          if (failed && kind === 'breaker')
            Object.assign(failed, { trial: false, unavailable: 'breaker_open' })
          const action = recover(kind, attempt, failed?.policy)
          if (action !== 'fail_over' && failed) return { action }
          const others = found.map((each) =>
            each === failed && !each.unavailable ? { ...each, unavailable: 'failed_before' as const } : each,
          )
          const agent = choose(o, assignee.capability, others, work)
          return { action, ...(agent && agent.id !== agentId ? { agent } : {}) }
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

const NO_WORK: Work = { runId: '', isChild: true, path: '', after: null }

const isCandidate = (agent: NamedAgent | KnownCandidate): agent is KnownCandidate => 'slots' in agent

/** Who is asked by capability to do a step, or to undo it, when it is tried again; undefined when one agent is named. */
export function whoAgain(
  { nodes }: Pick<WorkflowDefinition, 'nodes'>,
  { node: id, path }: { node: string; path: string },
): (Assignee & { capability: string }) | undefined {
  const node = nodes[id]
  if (node?.kind !== 'task') return undefined
  const { capability } = (path.endsWith(UNDO) ? node.compensate : node) ?? {}
  return capability === undefined ? undefined : { capability }
}

const agentKey = (o: string, { agent, capability }: Assignee): string =>
  `${o}/${agent ?? ''}/${capability ?? ''}`
const versionKey = (o: string, workflow: string, version: number | undefined): string =>
  `${o}/${workflow}/${version ?? ''}`
