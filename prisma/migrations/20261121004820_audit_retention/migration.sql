-- How long entries of the audit trail are kept, and what is kept because a court may ask for it.
create table audit_retention (
  organization_id uuid primary key,
  standard_days integer not null,
  significant_days integer not null,
  compliance_days integer not null,
  updated_by jsonb not null,
  updated_at timestamptz(3) not null default current_timestamp
);
create table legal_hold (
  organization_id uuid not null,
  id uuid not null default uuidv7(),
  reason text not null,
  filter jsonb not null,
  placed_by jsonb not null,
  created_at timestamptz(3) not null default current_timestamp,
  released_by jsonb,
  release_reason text,
  released_at timestamptz(3),
  primary key (organization_id, id)
);
call tutti_protect('audit_retention');
call tutti_protect('legal_hold');
create index audit_entry_age_index on audit_entry (significance, timestamp);

-- Whether an entry is held: a hold that is not released, all of whose filter fits it.
create function audit_is_held(organization uuid, subject text, actor text, on_behalf_of jsonb, domain text, tasks text[])
  returns boolean language sql stable set search_path = pg_catalog, public as $$
  select exists (select from legal_hold h where h.organization_id = organization and h.released_at is null
    and coalesce(h.filter->>'subject' = subject, true)
    and coalesce(h.filter->>'actor' in (actor, coalesce(on_behalf_of->>'id', actor)), true)
    and coalesce(h.filter->>'domain' = domain, true)
    and coalesce(h.filter->>'task' = any(tasks), true)) $$;

-- Only this role takes entries away, and the database lets none go that is too young or held.
create policy retention on audit_retention for select to tutti_retention using (true);
create policy retention on legal_hold for select to tutti_retention using (true);
create policy retention on audit_entry for select to tutti_retention using (true);
create policy retention_delete on audit_entry for delete to tutti_retention using (
  timestamp < clock_timestamp() - case significance
      when 'standard' then interval '90 days' when 'significant' then interval '365 days' else interval '2557 days' end
  and not audit_is_held(organization_id, subject, actor_id, on_behalf_of, domain, related_tasks));
create policy retention on log.event to tutti_retention using (true) with check (true);
grant usage on schema public, log to tutti_retention;
grant usage on sequence log.event_seq to tutti_retention;
grant select on audit_retention, legal_hold to tutti_retention;
grant select, delete on audit_entry to tutti_retention;
grant select, insert on log.event to tutti_retention;
