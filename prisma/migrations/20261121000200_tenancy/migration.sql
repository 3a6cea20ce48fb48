-- Who may see what. Forced row-level security on every tenant table, from the first migration on.
create function tutti_organization() returns uuid language sql stable parallel safe as
  $$ select nullif(current_setting('app.organization', true), '')::uuid $$;

-- Both locks on one table, for role api. Every migration that makes a table calls it.
create procedure tutti_protect(name regclass) language plpgsql as $$ begin
  execute format('alter table %s enable row level security', name);
  execute format('alter table %s force row level security', name);
  execute format(
    'create policy tenant on %s to tutti_api using (organization_id = (select tutti_organization())) '
    'with check (organization_id = (select tutti_organization()))', name);
  execute format('grant select, insert, update, delete on %s to tutti_api', name);
end $$;
revoke all on procedure tutti_protect(regclass) from public;

-- The engine's worker sees every tenant of a table; what it may write there is granted beside.
create procedure tutti_show_worker(name regclass) language plpgsql as $$ begin
  execute format('create policy worker on %s to tutti_worker using (true) with check (true)', name);
  execute format('grant select on %s to tutti_worker', name);
end $$;
revoke all on procedure tutti_show_worker(regclass) from public;

do $$
declare
  name text;
begin
  for name in
    select format('%I.%I', schemaname, tablename) from pg_tables
    where schemaname = 'public' and tablename <> '_prisma_migrations'
    union all select 'log.event'
  loop
    call tutti_protect(name);
  end loop;
end $$;

-- The log and the audit trail are append-only.
revoke update, delete on log.event, audit_entry from tutti_api;

do $$
declare
  name text;
begin
  foreach name in array array['run', 'task', 'strand', 'run_signal', 'workflow', 'workflow_version', 'agent', 'log.event'] loop
    call tutti_show_worker(name);
  end loop;
end $$;
grant insert, update on run, task to tutti_worker;
grant insert, update, delete on strand to tutti_worker;
grant update on run_signal to tutti_worker;
grant insert on log.event to tutti_worker;
grant select, insert, update on log.consumer to tutti_worker;
grant execute on function log.ensure_partitions() to tutti_worker;

create policy tail on log.event to tutti_tail using (true);
grant select on log.event to tutti_tail;

grant usage on schema public to tutti_api, tutti_worker, tutti_tail;
grant usage on schema log to tutti_api, tutti_worker, tutti_tail;
grant usage on sequence log.event_seq to tutti_api, tutti_worker;
grant select on sequence log.event_seq to tutti_tail, tutti_worker;

-- Before a tenant is known: the hash of an API key answers with its organization and nothing else.
create policy definer on api_key for select to tutti_definer using (true);
grant usage on schema public to tutti_definer;
grant select on api_key to tutti_definer;
create function find_api_key_organization(key_hash text) returns uuid
  language sql stable security definer set search_path = pg_catalog as
  $$ select organization_id from public.api_key where hash = key_hash $$;
do $$ begin
  execute format('grant tutti_definer to %I', current_user);
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_api_key_organization(text) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_api_key_organization(text) from public;
grant execute on function find_api_key_organization(text) to tutti_api;

-- BullMQ's tables: a schema and a role of their own.
do $$ begin
  execute format('grant tutti_queue to %I', current_user);
  execute 'create schema queue authorization tutti_queue';
end $$;
alter role tutti_queue set search_path = queue;

-- What workers look for: per tenant, so that a busy one is passed by. The fence and the claim are in no index, and a
-- strand that goes on in place keeps its time: such updates touch no index at all.
create index strand_due_index on strand (organization_id, due_at) where due_at is not null;
create index strand_children_index on strand (parent_id, position) where parent_id is not null;
create index strand_wait_index on strand (organization_id, wait_key) where wait_key is not null;
alter table strand set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
-- A task's settling changes nothing that an index holds: with room on its page it stays there.
alter table task set (fillfactor = 50);
alter table run set (fillfactor = 75);
create index run_signal_untaken_index on run_signal (organization_id, run_id) where taken_at is null;
create index task_children_index on task (parent_id, position) where parent_id is not null;
create index run_children_index on run (parent_task_id) where parent_task_id is not null;
-- The engine looks rows up by id alone and checks the tenant beside it (`is not distinct from`, which no index serves):
-- so a plan made while a table was small cannot prefer another index that begins with the tenant and scan it ever after.
create index task_id_index on task (id);
create index run_id_index on run (id);
create index strand_id_index on strand (id);
create index workflow_id_index on workflow (id);

-- Search: words in the article's own language, weighted; and trigrams for what is misspelt.
create function article_search() returns trigger language plpgsql as $$
declare
  config regconfig := case new.language
    when 'en' then 'pg_catalog.english'::regconfig
    when 'de' then 'pg_catalog.german'::regconfig
    when 'es' then 'pg_catalog.spanish'::regconfig
    when 'fr' then 'pg_catalog.french'::regconfig
    else 'pg_catalog.simple'::regconfig end;
begin
  new.search := setweight(to_tsvector(config, new.title), 'A')
    || setweight(to_tsvector(config, array_to_string(new.tags, ' ')), 'B')
    || setweight(to_tsvector(config, new.body), 'C');
  return new;
end $$;
create trigger article_search before insert or update on article for each row execute function article_search();
create index article_title_trigram_index on article using gin (title gin_trgm_ops);
