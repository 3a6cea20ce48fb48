import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import {
  type CompiledPolicies,
  compilePolicies,
  type ExceptionSource,
  type PolicySource,
} from '../policies/compile-policies.ts'
import type { AuthorityEntry } from './authority-entry.ts'
import { type CompiledMatrix, compileMatrix } from './decide-authority.ts'
import { DEFAULT_MATRIX } from './default-matrix.ts'

/** A change by another process is noticed this soon, in milliseconds; by the own one at once. */
const TRUST_MS = 1_000
const MOST_KNOWN = 10_000

/** What an organization decides by. */
export interface Rules {
  /** Another when any of it changed. */
  stamp: string
  policies: CompiledPolicies
  /** What was approved: in force now, in force until lately, or to be in force later. */
  sources: readonly PolicySource[]
  exceptions: readonly ExceptionSource[]
  matrix: CompiledMatrix
}

/** Rules by organization, compiled once; whether they changed is asked at most once a second. */
export interface RulesMemory {
  rulesOf(actor: Actor): Promise<Rules>
  /** What was changed here holds for the next question. */
  forget(organizationId: string): void
}

interface Known {
  rules: Promise<Rules>
  until: number
}

const STAMP = `select concat_ws('/',
    coalesce((select max(number) from authority_version where organization_id = $1), 0),
    coalesce((select md5(string_agg(id::text, '' order by id)) from policy_version
      where organization_id = $1 and status = 'active'), '-'),
    coalesce((select md5(string_agg(id::text, '' order by id)) from policy_exception
      where organization_id = $1 and status = 'approved' and expires_at > now()), '-')) as stamp`

const SOURCE_COLUMNS = `v.policy_id as "policyId", v.id as "versionId", p.name, v.number as version, v.status, v.actions,
    v.condition, v.effect, v.stages, v.escalate_to as "escalateTo", v.redact, v.priority,
    v.activated_at as "activatedAt", v.effective_from as "effectiveFrom", v.effective_until as "effectiveUntil",
    v.ended_at as "endedAt"`
const VERSIONS = `policy_version v join policy p on p.organization_id = v.organization_id and p.id = v.policy_id`

const EXCEPTIONS = `select id, policy_id as "policyId", version, actors, actions, resources, starts_at as "startsAt",
    expires_at as "expiresAt"
  from policy_exception where organization_id = $1 and status = 'approved' and expires_at > now()`

/** One version of a policy as decisions need it, whatever its status; `retires`: it is that the policy holds no more. */
export async function readPolicySource(
  database: Database,
  actor: Actor,
  policyId: string,
  version: number,
): Promise<(PolicySource & { retires: boolean }) | undefined> {
  const [source] = await database.readTenant<PolicySource & { retires: boolean }>(
    actor,
    `select ${SOURCE_COLUMNS}, v.retires from ${VERSIONS} where v.organization_id = $1 and v.policy_id = $2::uuid and v.number = $3`,
    [actor.organizationId, policyId, version],
  )
  return source
}

async function readRules(database: Database, actor: Actor, before: Rules | undefined): Promise<Rules> {
  const tenant = [actor.organizationId]
  const [row] = await database.readTenant<{ stamp: string }>(actor, STAMP, tenant)
  const stamp = row?.stamp ?? ''
  if (before?.stamp === stamp) return before
  const sources = await database.readTenant<PolicySource>(
    actor,
    `select ${SOURCE_COLUMNS} from ${VERSIONS} where v.organization_id = $1 and v.status = 'active'`,
    tenant,
  )
  const exceptions = await database.readTenant<ExceptionSource>(actor, EXCEPTIONS, tenant)
  const [authority] = await database.readTenant<{ number: number; entries: AuthorityEntry[] }>(
    actor,
    'select number, entries from authority_version where organization_id = $1 order by number desc limit 1',
    tenant,
  )
  return {
    stamp,
    sources,
    exceptions,
    policies: compilePolicies(sources, exceptions, before?.policies.conditions),
    matrix: compileMatrix(authority?.number ?? 0, authority?.entries ?? DEFAULT_MATRIX),
  }
}

function createRulesMemory(database: Database): RulesMemory {
  const known = new Map<string, Known>()
  return {
    rulesOf(actor) {
      const { organizationId } = actor
      const before = known.get(organizationId)
      if (before && before.until > performance.now()) return before.rules
      if (known.size > MOST_KNOWN) known.clear()
      const renew = async (): Promise<Rules> =>
        readRules(database, actor, await before?.rules.catch(() => undefined))
      const entry = { rules: renew(), until: performance.now() + TRUST_MS }
      known.set(organizationId, entry)
      entry.rules.catch(() => {
        if (known.get(organizationId) === entry) known.delete(organizationId)
      })
      return entry.rules
    },
    forget(organizationId) {
      const entry = known.get(organizationId)
      if (entry) entry.until = 0
    },
  }
}

const memories = new WeakMap<Database, RulesMemory>()

/** The one memory of rules of a database in this process. */
export function rulesMemoryOf(database: Database): RulesMemory {
  const before = memories.get(database)
  if (before) return before
  const memory = createRulesMemory(database)
  memories.set(database, memory)
  return memory
}
