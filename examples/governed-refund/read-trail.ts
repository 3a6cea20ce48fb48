import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'

const TRAIL = `query Trail($after: String) {
  auditEntries(first: 100, after: $after) {
    nodes {
      id timestamp actorId actionType summary details outcome policyVersion authorityVersion subject
      onBehalfOf { id }
    }
    pageInfo { hasNextPage endCursor }
  }
}`

/** An entry of the audit trail, as far as the story needs it. */
export interface TrailEntry {
  id: string
  timestamp: string
  actorId: string
  actionType: string
  summary: string
  details: { reasoning?: string; context?: { amount?: number | null } }
  outcome: string | null
  policyVersion: string | null
  authorityVersion: string | null
  subject: string
  onBehalfOf: { id: string } | null
}

interface Page {
  auditEntries: { nodes: TrailEntry[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } }
}

/** The organization's entries since a moment (ISO 8601, by the platform's clock), oldest first. */
export async function readTrail(door: Door, since: string): Promise<TrailEntry[]> {
  const entries: TrailEntry[] = []
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await readPage(door, after)
    const young = nodes.filter(({ timestamp }) => Date.parse(timestamp) >= Date.parse(since))
    entries.push(...young)
    if (young.length < nodes.length || !pageInfo.hasNextPage) return entries.reverse()
    after = pageInfo.endCursor
  }
}

const readPage = async (door: Door, after: string | null): Promise<Page['auditEntries']> =>
  (await ask<Page>(door, TRAIL, { after })).auditEntries
