-- That a policy holds no more is a version of it, which somebody else reviews.
alter table policy_version add column retires boolean not null default false;
create or replace function policy_version_fixed() returns trigger language plpgsql as $$ begin
  if row(new.policy_id, new.number, new.description, new.actions, new.condition, new.effect, new.stages, new.escalate_to,
      new.redact, new.priority, new.effective_from, new.effective_until, new.retires, new.written_by - 'name')
    is distinct from row(old.policy_id, old.number, old.description, old.actions, old.condition, old.effect, old.stages,
      old.escalate_to, old.redact, old.priority, old.effective_from, old.effective_until, old.retires, old.written_by - 'name') then
    raise exception 'A version of a policy cannot be changed.';
  end if;
  return new;
end $$;
