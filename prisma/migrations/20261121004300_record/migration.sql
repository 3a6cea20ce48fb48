-- The record: every event of the log is an entry of its tenant's chain, and an audit entry has its event.
-- What follows says of an entry for whom it was done, by which rules, and how it ended. `salt` is what the commitment to
-- its text begins with; null for entries of before, which no chain covers.
alter table audit_entry
  add column on_behalf_of jsonb,
  add column policy_version text,
  add column authority_version text,
  add column outcome text,
  add column salt text;

-- The chain: one row an event, in the log's order, without gap. Written by the sealer behind the log, and never changed.
create table audit_seal (
  organization_id uuid not null,
  sequence bigint not null,
  event_seq bigint not null,
  salt bytea not null,
  hash bytea not null,
  primary key (organization_id, sequence)
);

-- What was signed of it. `last_event_seq` finds the checkpoint of an event; `published_at` is when it was last written
-- outside the database, and is all that may change.
create table audit_checkpoint (
  organization_id uuid not null,
  number integer not null,
  first_sequence bigint not null,
  last_sequence bigint not null,
  last_event_seq bigint not null,
  hash bytea not null,
  root bytea not null,
  previous bytea not null,
  time timestamptz(3) not null,
  key_id text not null,
  signature bytea not null,
  published_at timestamptz(3),
  primary key (organization_id, number)
);
create index audit_checkpoint_unpublished_index on audit_checkpoint (organization_id, number) where published_at is null;

do $$
declare
  name text;
begin
  foreach name in array array['audit_seal', 'audit_checkpoint'] loop
    call tutti_protect(name);
    execute format('revoke insert, update, delete on %I from tutti_api', name);
    execute format('create policy sealer on %I to tutti_sealer using (true) with check (true)', name);
    execute format('grant select, insert on %I to tutti_sealer', name);
  end loop;
end $$;
grant update (published_at) on audit_checkpoint to tutti_sealer;
grant usage on schema public, log to tutti_sealer;

-- What checkpoints are signed with: one for the installation. The private key is wrapped by the master key.
create table log.signing_key (
  number integer primary key,
  key_id text not null,
  public_key text not null,
  master_key text not null,
  wrapped bytea not null,
  created_at timestamptz(3) not null default clock_timestamp()
);
grant select, insert on log.signing_key to tutti_sealer;
grant select (number, key_id, public_key, created_at) on log.signing_key to tutti_api;
