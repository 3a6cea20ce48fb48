import type { Kms } from '@tutti/runtime'
import type { DomainServices } from '../context.ts'

/** What is needed to keep a provider's secret, and to use it. */
export interface LoginServices extends DomainServices {
  kms: Kms
}

/** What a group of the provider's is here: one of the two. */
export interface GroupMapping {
  claimed: string
  role?: string | null
  group?: string | null
}

/** An identity provider without its secret. */
export interface IdentityProviderRow {
  id: string
  issuer: string
  clientId: string
  groupsClaim: string
  directoryClaim: string | null
  mapping: GroupMapping[]
  defaultRole: string | null
  /** Who may be behind how it is set, by id. */
  setBy: string[]
  updatedAt: Date
  createdAt: Date
}

/** {@link IdentityProviderRow} of `identity_provider`. */
export const IDENTITY_PROVIDER_COLUMNS = `id, issuer, client_id as "clientId", groups_claim as "groupsClaim",
  directory_claim as "directoryClaim", mapping,
  default_role as "defaultRole", set_by as "setBy", updated_at as "updatedAt", created_at as "createdAt"`

/** What the secret of an organization's client at an issuer is wrapped for; it opens nowhere else. */
export const secretBelongsTo = (organizationId: string, issuer: string): string[] => [
  'identity provider',
  organizationId,
  issuer,
]
