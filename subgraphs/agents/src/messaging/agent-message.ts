import type { Actor } from '@tutti/schema'

/** How urgent a message is, as stored; an inbox gives out the most urgent first. */
export const PRIORITY = { low: 0, normal: 1, high: 2, urgent: 3 } as const

/** What a message is for. */
export type MessageKind = 'message' | 'broadcast' | 'request' | 'response'

/** Where a message is on its way. */
export type MessageStatus = 'sent' | 'delivered' | 'acknowledged' | 'expired' | 'dead'

/** Bytes of UTF-8 that the JSON of a body may have: 256 KiB, and 64 KiB of one that goes to many. */
export const MOST_BODY_BYTES = 256 * 1024
export const MOST_BROADCAST_BYTES = 64 * 1024

/** Messages that wait in one inbox. */
export const MOST_WAITING = 10_000

/** A message to an agent with its delivery log, as stored. */
export interface AgentMessageRow {
  id: string
  kind: MessageKind
  sender: { id: string; kind: string; name: string }
  fromAgentId: string | null
  /** Null: the answer to somebody who is no agent. */
  toAgentId: string | null
  requestId: string | null
  responseId: string | null
  broadcastId: string | null
  runId: string | null
  priority: number
  body: unknown
  status: MessageStatus
  /** How often it was given out. */
  deliveries: number
  leaseUntil: Date | null
  createdAt: Date
  /** For the first time. */
  deliveredAt: Date | null
  acknowledgedAt: Date | null
  endedAt: Date | null
  expiresAt: Date
  deadReason: string | null
}

/** The columns of {@link AgentMessageRow}, of a table under this name. */
export const messageColumns = (m: string): string =>
  `${m}.id, ${m}.kind, ${m}.sender, ${m}.from_agent_id as "fromAgentId", ${m}.to_agent_id as "toAgentId",
   ${m}.request_id as "requestId", ${m}.response_id as "responseId", ${m}.broadcast_id as "broadcastId", ${m}.run_id as "runId",
   ${m}.priority, ${m}.body, ${m}.status, ${m}.deliveries, ${m}.lease_until as "leaseUntil", ${m}.created_at as "createdAt",
   ${m}.delivered_at as "deliveredAt", ${m}.acknowledged_at as "acknowledgedAt", ${m}.ended_at as "endedAt",
   ${m}.expires_at as "expiresAt", ${m}.dead_reason as "deadReason"`

/** Who sends: an agent by its own key, or somebody else as themselves. */
export interface Sender {
  agentId: string | null
  /** Within which idempotency keys count. */
  key: string
  actor: Actor
}
