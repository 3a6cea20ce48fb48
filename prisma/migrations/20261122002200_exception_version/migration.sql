-- An exception is from the version that its reviewer saw: of those of before, the one in force when they were decided.
alter table policy_exception add column version integer;
update policy_exception x set version = coalesce(
  (select max(v.number) from policy_version v where v.organization_id = x.organization_id and v.policy_id = x.policy_id
    and v.activated_at <= coalesce(x.decided_at, now())
    and coalesce(v.effective_from, '-infinity') <= coalesce(x.decided_at, now())),
  (select max(v.number) from policy_version v where v.organization_id = x.organization_id and v.policy_id = x.policy_id));
alter table policy_exception alter column version set not null;
