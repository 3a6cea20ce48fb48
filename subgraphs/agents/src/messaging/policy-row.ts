import type { Party, Policy } from './evaluate-policies.ts'

/** A policy as stored. */
export interface PolicyRow {
  id: string
  name: string
  effect: Policy['effect']
  priority: number
  fromKind: Party['kind']
  fromValue: string
  toKind: Party['kind']
  toValue: string
  updatedBy: { id: string; kind: string; name: string }
  updatedAt: Date
}

/** The columns of {@link PolicyRow}. */
export const POLICY_COLUMNS = `id, name, effect, priority, from_kind as "fromKind", from_value as "fromValue",
  to_kind as "toKind", to_value as "toValue", updated_by as "updatedBy", updated_at as "updatedAt"`

/** The rule of a row. */
export const policyOf = (row: PolicyRow): Policy => ({
  id: row.id,
  name: row.name,
  effect: row.effect,
  priority: row.priority,
  from: { kind: row.fromKind, value: row.fromValue },
  to: { kind: row.toKind, value: row.toValue },
})
