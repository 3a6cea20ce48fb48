import type { Database } from '@tutti/prisma'
import type { Actor } from '@tutti/schema'
import { compilePolicies, type Judge } from './evaluate-policies.ts'
import { policyOf, POLICY_COLUMNS, type PolicyRow } from './policy-row.ts'

/** A change by another process is noticed this soon, in milliseconds; by the own one at once. */
const TRUST_MS = 1_000
const MOST_KNOWN = 10_000

/** Compiled policies by organization, read at most once a second. */
export interface PolicyMemory {
  judgeOf(actor: Actor): Promise<Judge>
  forget(organizationId: string): void
}

function createPolicyMemory(database: Database): PolicyMemory {
  const known = new Map<string, { judge: Promise<Judge>; until: number }>()

  async function read(actor: Actor): Promise<Judge> {
    const rows = await database.readTenant<PolicyRow>(
      actor,
      `select ${POLICY_COLUMNS} from message_policy where organization_id = $1::uuid`,
      [actor.organizationId],
    )
    return compilePolicies(rows.map(policyOf))
  }

  return {
    judgeOf(actor) {
      const { organizationId } = actor
      const before = known.get(organizationId)
      if (before && before.until > performance.now()) return before.judge
      if (known.size > MOST_KNOWN) known.clear()
      const judge = read(actor)
      const entry = { judge, until: performance.now() + TRUST_MS }
      known.set(organizationId, entry)
      judge.catch(() => {
        if (known.get(organizationId) === entry) known.delete(organizationId)
      })
      return judge
    },
    forget: (organizationId) => void known.delete(organizationId),
  }
}

const memories = new WeakMap<Database, PolicyMemory>()

/** The one memory of policies of a database in this process. */
export function policyMemoryOf(database: Database): PolicyMemory {
  const before = memories.get(database)
  if (before) return before
  const memory = createPolicyMemory(database)
  memories.set(database, memory)
  return memory
}
