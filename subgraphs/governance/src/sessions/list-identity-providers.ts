import type { Actor } from '@tutti/schema'
import type { DomainServices } from '../context.ts'
import { IDENTITY_PROVIDER_COLUMNS, type IdentityProviderRow } from './identity-provider-row.ts'

/** The organization's, in the order in which they were made: at most {@link MOST_PROVIDERS}. */
export const listIdentityProviders = (
  { database }: DomainServices,
  actor: Actor,
): Promise<IdentityProviderRow[]> =>
  database.readTenant<IdentityProviderRow>(
    actor,
    `select ${IDENTITY_PROVIDER_COLUMNS} from identity_provider where organization_id = $1 order by id limit ${MOST_PROVIDERS}`,
    [actor.organizationId],
  )

/** As many an organization may have. */
export const MOST_PROVIDERS = 20
