-- Who made the keys by which a right to decide was lent; none of before.
alter table approval_delegation add column credential_by text[] default array[]::text[];
