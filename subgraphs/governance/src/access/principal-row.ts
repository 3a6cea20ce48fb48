/** Somebody or something that can call. */
export interface PrincipalRow {
  id: string
  name: string
  kind: string
  /** Null: active. */
  deactivatedAt: Date | null
  /** administrator or directory. */
  deactivatedBy: string | null
}

/** {@link PrincipalRow} of `principal p`. */
export const PRINCIPAL_COLUMNS = `p.id, p.name, p.kind, p.deactivated_at as "deactivatedAt", p.deactivated_by as "deactivatedBy"`

/** As JSON, with its moments as texts. */
export const PRINCIPAL_JSON = `jsonb_build_object('id', p.id, 'name', p.name, 'kind', p.kind,
  'deactivatedAt', p.deactivated_at, 'deactivatedBy', p.deactivated_by)`
