-- A hold on somebody, as customer/4711 or person/<id>, holds what is about them: the entries that are under a key of theirs.
create policy retention on subject_key for select to tutti_retention using (true);
grant select (organization_id, id, subject) on subject_key to tutti_retention;
create function audit_is_held(organization uuid, subject text, actor text, on_behalf_of jsonb, domain text, tasks text[], keys uuid[])
  returns boolean language sql stable set search_path = pg_catalog, public as $$
  select exists (select from legal_hold h where h.organization_id = organization and h.released_at is null
    and coalesce(h.filter->>'subject' = audit_is_held.subject or exists (select from subject_key k
      where k.organization_id = organization and k.id = any(keys) and k.subject = h.filter->>'subject'), true)
    and coalesce(h.filter->>'actor' in (actor, coalesce(on_behalf_of->>'id', actor)), true)
    and coalesce(h.filter->>'domain' = audit_is_held.domain, true)
    and (h.filter->>'task' is null or h.filter->>'task' = any(tasks))) $$;
drop policy retention_delete on audit_entry;
create policy retention_delete on audit_entry for delete to tutti_retention using (
  timestamp < clock_timestamp() - case significance
      when 'standard' then interval '90 days' when 'significant' then interval '365 days' else interval '2557 days' end
  and not audit_is_held(organization_id, subject, actor_id, on_behalf_of, domain, related_tasks, key_ids));
drop function audit_is_held(uuid, text, text, jsonb, text, text[]);
