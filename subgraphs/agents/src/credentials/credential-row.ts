/** A credential as the API shows it: never its value. */
export interface CredentialRow {
  id: string
  name: string
  kind: string
  agentId: string | null
  provider: string | null
  origins: string[]
  lastFour: string | null
  createdAt: Date
  rotatedAt: Date | null
  lastUsedAt: Date | null
}

/** The columns of {@link CredentialRow}. */
export const CREDENTIAL_COLUMNS = `id, name, kind, agent_id as "agentId", provider, origins, last_four as "lastFour",
  created_at as "createdAt", rotated_at as "rotatedAt", last_used_at as "lastUsedAt"`
