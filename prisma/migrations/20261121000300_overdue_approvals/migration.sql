-- Questions whose time has passed, of every tenant: workers learn whose and which, and nothing else. What becomes of
-- one is written by role api, in its tenant.
create index approval_overdue_index on approval (expires_at) where status = 'pending' and expires_at is not null;

create policy definer on approval for select to tutti_definer using (status = 'pending' and expires_at is not null);
grant select (organization_id, id, status, expires_at) on approval to tutti_definer;

create function find_overdue_approvals(most int) returns table (organization_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog as
  $$ select a.organization_id, a.id from public.approval a
     where a.status = 'pending' and a.expires_at <= clock_timestamp() order by a.expires_at limit most $$;
do $$ begin
  execute 'grant create on schema public to tutti_definer';
  execute 'alter function find_overdue_approvals(int) owner to tutti_definer';
  execute 'revoke create on schema public from tutti_definer';
end $$;
revoke all on function find_overdue_approvals(int) from public;
grant execute on function find_overdue_approvals(int) to tutti_worker;
