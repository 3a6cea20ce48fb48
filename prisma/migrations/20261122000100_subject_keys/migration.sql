-- Personal data is encrypted under a key of whom it is about: once that is destroyed, the data is gone, also from backups.
create table subject_key (
  organization_id uuid not null,
  id uuid not null default uuidv7(),
  subject text not null,
  master_key text not null,
  wrapped bytea,
  created_at timestamptz(6) not null default clock_timestamp(),
  erased_at timestamptz(6),
  erased_by jsonb,
  erasure_reason text,
  entries integer,
  primary key (organization_id, id)
);
create unique index subject_key_live_index on subject_key (organization_id, subject) where erased_at is null;
create index subject_key_organization_id_subject_idx on subject_key (organization_id, subject);
call tutti_protect('subject_key');

-- Of an entry about somebody, summary, details and salt are in `sealed`, encrypted under all of its keys in turn. What the
-- chain covers of them is `text_commitment`. `words` is what search finds it by, and all that erasure changes.
alter table audit_entry
  add column sealed bytea,
  add column key_ids uuid[],
  add column text_commitment text,
  add column words tsvector;
create index audit_entry_key_ids_index on audit_entry using gin (key_ids);

drop index audit_entry_words_index;
create index audit_entry_words_index on audit_entry
  using gin (organization_id, coalesce(words, audit_words(summary, details, related_tasks)));
create or replace function audit_matches(words text, task text, before uuid, since timestamptz, until timestamptz, most integer)
  returns setof uuid language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
  organization uuid := public.tutti_organization();
  sought tsquery := coalesce(websearch_to_tsquery('simple', words), '')
    && coalesce(('''' || replace(replace(nullif(task, ''), '\', '\\'), '''', '''''') || '''')::tsquery, '');
begin
  return query execute
    'select id from public.audit_entry
     where organization_id = $1 and coalesce(words, public.audit_words(summary, details, related_tasks)) @@ $2
       and ($3 is null or id < $3) and ($4 is null or timestamp >= $4) and ($5 is null or timestamp < $5)
     order by id desc limit $6'
    using organization, sought, before, since, until, most;
end $$;

-- Takes the words of entries whose key was destroyed; answers with how many entries those are. The definer may do that and
-- no more: nothing that the chain covers can be changed by any role.
create policy definer on subject_key for select to tutti_definer using (true);
grant select (organization_id, id, erased_at) on subject_key to tutti_definer;
create policy definer_erase on audit_entry for update to tutti_definer
  using (exists (select from subject_key k where k.organization_id = audit_entry.organization_id
    and k.id = any(audit_entry.key_ids) and k.erased_at is not null))
  with check (words is null);
grant update (words) on audit_entry to tutti_definer;
create function erase_words(keys uuid[]) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  organization uuid := public.tutti_organization();
  erased integer;
begin
  update public.audit_entry set words = null where organization_id = organization and key_ids && keys;
  get diagnostics erased = row_count;
  return erased;
end $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function erase_words(uuid[]) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function erase_words(uuid[]) from public;
grant execute on function erase_words(uuid[]) to tutti_api;

-- Entries under a key: no operator on arrays is leakproof, so row-level security keeps role api from their index.
create function audit_entries_under(keys uuid[]) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, public as
  $$ select id from public.audit_entry where organization_id = public.tutti_organization() and key_ids && keys $$;

-- Takes what somebody who was forgotten wrote, and their name, out of what else is never changed.
do $$
declare
  target text;
begin
  foreach target in array array['approval_decision', 'escalation_step'] loop
    execute format('create policy definer on %I to tutti_definer using (true) with check (true)', target);
  end loop;
end $$;
grant select, update (decided_by, on_behalf_of, comment) on approval_decision to tutti_definer;
grant select, update (actor, assigned_to, text) on escalation_step to tutti_definer;
grant select (subject) on subject_key to tutti_definer;
create function erase_remarks(person text, instead text) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  organization uuid := public.tutti_organization();
begin
  if not exists (select from public.subject_key k where k.organization_id = organization
      and k.subject = 'person/' || person and k.erased_at is not null) then
    raise exception 'This person was not forgotten.';
  end if;
  update public.approval_decision d set comment = case when d.comment is not null then instead end,
    decided_by = jsonb_set(d.decided_by, '{name}', to_jsonb(instead))
  where d.organization_id = organization and d.decided_by->>'id' = person;
  update public.approval_decision d set on_behalf_of = jsonb_set(d.on_behalf_of, '{name}', to_jsonb(instead))
  where d.organization_id = organization and d.on_behalf_of->>'id' = person;
  update public.escalation_step s set text = case when s.text is not null then instead end,
    actor = jsonb_set(s.actor, '{name}', to_jsonb(instead))
  where s.organization_id = organization and s.actor->>'id' = person;
  update public.escalation_step s set assigned_to = jsonb_set(s.assigned_to, '{name}', to_jsonb(instead))
  where s.organization_id = organization and s.assigned_to->>'id' = person;
end $$;
do $$
declare
  signature text;
begin
  execute 'grant create on schema public to tutti_definer';
  foreach signature in array array['audit_entries_under(uuid[])', 'erase_remarks(text, text)'] loop
    execute format('alter function %s owner to tutti_definer', signature);
    execute format('revoke all on function %s from public', signature);
    execute format('grant execute on function %s to tutti_api', signature);
  end loop;
  execute 'revoke create on schema public from tutti_definer';
end $$;

-- A hold that says nothing of tasks holds entries that are related to none, too: nothing compared with no element is false,
-- and not null.
create or replace function audit_is_held(organization uuid, subject text, actor text, on_behalf_of jsonb, domain text, tasks text[])
  returns boolean language sql stable set search_path = pg_catalog, public as $$
  select exists (select from legal_hold h where h.organization_id = organization and h.released_at is null
    and coalesce(h.filter->>'subject' = subject, true)
    and coalesce(h.filter->>'actor' in (actor, coalesce(on_behalf_of->>'id', actor)), true)
    and coalesce(h.filter->>'domain' = domain, true)
    and (h.filter->>'task' is null or h.filter->>'task' = any(tasks))) $$;
