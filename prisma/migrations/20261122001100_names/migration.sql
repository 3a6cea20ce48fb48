-- What people are called who are no principals, as their tokens say: the log has their ids alone, for it never changes and
-- they may have to be forgotten.
create table known_person (
  organization_id uuid not null,
  id text not null,
  name text not null,
  primary key (organization_id, id)
);
call tutti_protect('known_person');

-- The actor of a row as an event has it.
create function log.event_actor(actor jsonb) returns jsonb language sql immutable parallel safe as
  $$ select case when actor->>'kind' = 'person' then jsonb_build_object('id', actor->'id', 'kind', 'person') else actor end $$;

-- Events of before keep the name: the chain covers them as they are.
alter table log.event add constraint event_actor_check
  check (actor->>'kind' <> 'person' or actor->>'name' is null) not valid;

-- Who wrote a version stays; what they are called may be forgotten.
create or replace function policy_version_fixed() returns trigger language plpgsql as $$ begin
  if row(new.policy_id, new.number, new.description, new.actions, new.condition, new.effect, new.stages, new.escalate_to,
      new.redact, new.priority, new.effective_from, new.effective_until, new.written_by - 'name')
    is distinct from row(old.policy_id, old.number, old.description, old.actions, old.condition, old.effect, old.stages,
      old.escalate_to, old.redact, old.priority, old.effective_from, old.effective_until, old.written_by - 'name') then
    raise exception 'A version of a policy cannot be changed.';
  end if;
  return new;
end $$;
