/** A tenant's own role. */
export interface AccessRoleRow {
  name: string
  description: string
  scopes: string[]
  version: number
  builtIn: boolean
}

/** {@link AccessRoleRow} of `access_role`. */
export const ACCESS_ROLE_COLUMNS = 'name, description, scopes, version, false as "builtIn"'
