/** Of `notification_channel c`: whether the person whose it is has said so themselves, and what it is called by says where it is. */
export const SET_BY_OWNER = `(c.owner_kind = 'person' and c.set_by->>'id' = c.owner and c.address <> '')`

/**
 * Of `notification n` and `principal p`: null unless the place is the person's own, by an address that a provider or directory
 * vouches for or a channel that they set themselves; else who made the keys by which they set it, as JSON.
 */
export const MAKERS_OF_PLACE = `(case when n.kind = 'email' and lower(n.address) = lower(p.email) then '[]'::jsonb else (
  select coalesce(c.set_by->'credentialBy', '[]') from notification_channel c
  where c.organization_id = n.organization_id and c.owner_kind = 'person' and c.owner = p.id::text and c.kind = n.kind
    and c.address = n.address and ${SET_BY_OWNER}) end)`
