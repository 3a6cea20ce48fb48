-- A version that begins later is active beside the one whose place it takes: of these the end is written, and of one no end is.
drop index policy_version_active_index;
create unique index policy_version_last_index on policy_version (organization_id, policy_id)
  where status = 'active' and ended_at is null;
create index policy_version_active_index on policy_version (organization_id, policy_id) where status = 'active';
