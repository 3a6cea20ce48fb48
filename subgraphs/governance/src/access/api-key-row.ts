/** An API key with what its principal lends it; the secret is nowhere. */
export interface ApiKeyRow {
  id: string
  prefix: string
  principalId: string
  principalName: string
  roles: string[]
  /** At most these; none: whatever its principal may. */
  scopes: string[]
  /** The key that came in its place. */
  replacedBy: string | null
  expiresAt: Date | null
  revokedAt: Date | null
  lastUsedAt: Date | null
  createdAt: Date
}

/** {@link ApiKeyRow} of `api_key k join principal p`. */
export const API_KEY_COLUMNS = `k.id, k.prefix, p.id as "principalId", p.name as "principalName", p.roles, k.scopes, k.replaced_by as "replacedBy",
  k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt", k.created_at as "createdAt"`

/** Where those columns come from. */
export const API_KEY_TABLES =
  'api_key k join principal p on p.organization_id = k.organization_id and p.id = k.principal_id'
