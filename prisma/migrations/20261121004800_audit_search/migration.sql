-- Search in the audit trail: the words of summary and details, and the related tasks as they are.
create function audit_words(summary text, details jsonb, tasks text[]) returns tsvector
  language sql immutable parallel safe set search_path = pg_catalog as
  $$ select to_tsvector('simple', left(summary || ' ' || details::text, 100000))
       || array_to_tsvector(array_remove(array_remove(tasks, null), '')) $$;

create extension if not exists btree_gin;
create index audit_entry_words_index on audit_entry
  using gin (organization_id, audit_words(summary, details, related_tasks));
create index audit_entry_actor_index on audit_entry (organization_id, actor_id, id);

-- No operator on words is leakproof, so row-level security keeps role api from the index. The function looks there for it,
-- within its tenant: ids of the newest entries before one, that have the words and the task.
create policy definer on audit_entry for select to tutti_definer using (true);
grant select on audit_entry to tutti_definer;
create function audit_matches(words text, task text, before uuid, since timestamptz, until timestamptz, most integer)
  returns setof uuid language plpgsql stable security definer set search_path = pg_catalog, public as $$
declare
  organization uuid := public.tutti_organization();
  sought tsquery := coalesce(websearch_to_tsquery('simple', words), '')
    && coalesce(('''' || replace(replace(nullif(task, ''), '\', '\\'), '''', '''''') || '''')::tsquery, '');
begin
  return query execute
    'select id from public.audit_entry
     where organization_id = $1 and public.audit_words(summary, details, related_tasks) @@ $2
       and ($3 is null or id < $3) and ($4 is null or timestamp >= $4) and ($5 is null or timestamp < $5)
     order by id desc limit $6'
    using organization, sought, before, since, until, most;
end $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function audit_matches(text, text, uuid, timestamptz, timestamptz, integer) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function audit_matches(text, text, uuid, timestamptz, timestamptz, integer) from public;
grant execute on function audit_matches(text, text, uuid, timestamptz, timestamptz, integer) to tutti_api;
