/** A group of principals. */
export interface GroupRow {
  id: string
  name: string
  description: string
  members: { id: string; name: string; kind: string }[]
}

/** {@link GroupRow} of `access_group g`. */
export const GROUP_COLUMNS = `g.id, g.name, g.description,
  (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'name', p.name, 'kind', p.kind) order by p.name), '[]')
   from principal p where p.organization_id = g.organization_id and g.name = any(p.groups)) as members`
