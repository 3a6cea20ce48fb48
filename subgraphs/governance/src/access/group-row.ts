import { PRINCIPAL_JSON, type PrincipalRow } from './principal-row.ts'

/** A group of principals. */
export interface GroupRow {
  id: string
  name: string
  description: string
  members: PrincipalRow[]
}

/** {@link GroupRow} of `access_group g`. */
export const GROUP_COLUMNS = `g.id, g.name, g.description,
  (select coalesce(jsonb_agg(${PRINCIPAL_JSON} order by p.name), '[]')
   from principal p where p.organization_id = g.organization_id and g.name = any(p.groups)) as members`
