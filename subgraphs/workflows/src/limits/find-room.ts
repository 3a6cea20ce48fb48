import type pg from 'pg'
import { IS_LOST } from '../engine/store/claim-strands.ts'
import type { Candidate } from './admit.ts'
import { claimRoom, type Room } from './claim-room.ts'
import { lineUpRuns } from './line-up-runs.ts'

type Client = Pick<pg.ClientBase, 'query'>

/** Looks at the queue: what is full after one is left out of the next. */
const LOOKS = 3

interface DueRow {
  organization_id: string
  id: string
  workflow_id: string
  agent_id: string | null
  limit_key: string | null
  begins: boolean
}

/**
 * Ids of strands of limited organizations that are due and may be claimed now, at most `most`, tenants in turn. Within
 * the caller's transaction, which claims exactly these: see {@link claimRoom}. A run that would begin in spite of a
 * limit on runs is made to wait for its turn here, whoever started it and however: its main strand is held, and released
 * when it is its turn. Behind what is full, what is not is found. `whenBusy` is called when another claimer had the limits
 * of an organization: there may be room a moment later.
 */
export async function findRoom(
  client: Client,
  organizations: readonly string[],
  most: number,
  whenBusy?: () => void,
): Promise<string[]> {
  const found: string[] = []
  const granted: Candidate[] = []
  const seen: string[] = []
  const out = new LeftOut(organizations)
  for (let look = 0; look < LOOKS && found.length < most && out.organizations.length > 0; look += 1) {
    const due = await readDue(client, out, seen, most)
    if (due.length === 0) break
    const lined = await lineUpRuns(
      client,
      due.filter(({ begins }) => begins).map(({ id }) => id),
    )
    const candidates = due.filter(({ id }) => !lined.has(id)).map(toCandidate)
    const room = await claimRoom(client, candidates, { most: most - found.length, granted })
    found.push(...room.admitted)
    granted.push(...room.places)
    seen.push(...candidates.map(({ strandId }) => strandId))
    if (lined.size === 0 && room.admitted.size === candidates.length) break
    if (room.full.some(({ of }) => of === 'busy')) whenBusy?.()
    out.add(room.full)
  }
  return found
}

const toCandidate = (row: DueRow): Candidate => ({
  organizationId: row.organization_id,
  strandId: row.id,
  workflowId: row.workflow_id,
  agentId: row.agent_id,
  limitKey: row.limit_key,
})

/** What the next look passes by: everything of a subject, or only what is at an agent's task. */
class LeftOut {
  organizations: readonly string[]
  readonly withoutAgents: string[] = []
  readonly subjects: string[] = []
  readonly startsOf: string[] = []

  constructor(organizations: readonly string[]) {
    this.organizations = organizations
  }

  add(full: Room['full']): void {
    const shut = new Set<string>()
    for (const each of full) {
      const { organizationId } = each
      if (each.of === 'busy') shut.add(organizationId)
      else if (each.scope === 'organization') {
        if (each.of === 'everything') shut.add(organizationId)
        else this.withoutAgents.push(organizationId)
      } else {
        const subject = `${organizationId}/${each.scope}/${each.subject}`
        if (each.of === 'everything') this.subjects.push(subject)
        else this.startsOf.push(subject)
      }
    }
    this.organizations = this.organizations.filter((id) => !shut.has(id))
  }
}

const SUBJECTS = `array[s.organization_id || '/workflow/' || s.workflow_id, s.organization_id || '/agent/' || s.agent_id,
  s.organization_id || '/key/' || s.limit_key]`
const COLUMNS = 's.organization_id, s.id, s.workflow_id, s.agent_id, s.limit_key, s.due_at'

/** What an order to stop has stopped is nobody's to claim, and takes no room. */
const MAY_GO = `(not exists (select from containment where lifted_at is null)
  or not tutti_contained(s.organization_id, s.workflow_id, s.agent_id, s.run_id))`

/** Leases that ran out first: they have their place already. */
const DUE = {
  name: 'limit-due',
  text: `select d.organization_id, d.id, d.workflow_id, d.agent_id, d.limit_key, d.begins
    from unnest($1::uuid[]) as o(id), lateral (
      select x.*, row_number() over (order by x.leased desc, x.due_at) as turn from (
        (select ${COLUMNS}, true as leased, false as begins from strand s
         where s.organization_id = o.id and ${IS_LOST}
           and s.id <> all($2::uuid[]) and ${MAY_GO} limit $3)
        union all
        (select ${COLUMNS}, false, s.parent_id is null and s.task_id is null and s.wait_key is distinct from 'slot:taken'
         from strand s where s.organization_id = o.id and s.due_at <= clock_timestamp() and s.status <> 'running'
           and s.id <> all($2::uuid[]) and ${MAY_GO}
           and not (s.agent_id is not null and s.organization_id = any($4::uuid[]))
           and (cardinality($5::text[]) = 0 or not (${SUBJECTS} && $5::text[]))
           and (s.agent_id is null or cardinality($6::text[]) = 0 or not (${SUBJECTS} && $6::text[]))
         order by s.due_at limit $3)
      ) x) d
    order by d.turn, d.due_at limit $3 * 2`,
}

async function readDue(
  client: Client,
  out: LeftOut,
  seen: readonly string[],
  most: number,
): Promise<DueRow[]> {
  const { rows } = await client.query<DueRow>({
    ...DUE,
    values: [out.organizations, seen, most, out.withoutAgents, out.subjects, out.startsOf],
  })
  return rows
}
