/** What an order to stop is about. */
export const CONTAINMENT_SCOPES = ['agent', 'workflow', 'domain', 'organization'] as const
export type ContainmentScope = (typeof CONTAINMENT_SCOPES)[number]

interface ActorRecord {
  id: string
  kind: string
  name: string
}

/** An order to stop. */
export interface ContainmentRow {
  id: string
  scope: ContainmentScope
  /** The agent, workflow or domain; the organization's own id for everything. */
  targetId: string
  reason: string
  orderedBy: ActorRecord
  orderedAt: Date
  sealedAt: Date | null
  stoppedAt: Date | null
  liftedBy: ActorRecord | null
  liftedAt: Date | null
  liftReason: string | null
}

/** Columns of a {@link ContainmentRow}. */
export const CONTAINMENT_COLUMNS = `id, scope, target_id as "targetId", reason, ordered_by as "orderedBy",
  ordered_at as "orderedAt", sealed_at as "sealedAt", stopped_at as "stoppedAt", lifted_by as "liftedBy",
  lifted_at as "liftedAt", lift_reason as "liftReason"`

/** Subject and data of an event about an order. */
export function aboutContainment({ id, scope, targetId }: Pick<ContainmentRow, 'id' | 'scope' | 'targetId'>) {
  return { subject: `containment/${id}`, data: { containmentId: id, scope, targetId } }
}
