-- Exports of the record and of the trail: what was asked for and how far it is, and the file in parts.
create table audit_export (
  organization_id uuid not null,
  id uuid not null default uuidv7(),
  format text not null,
  verifiable boolean not null,
  filters jsonb not null,
  from_time timestamptz(3),
  until_time timestamptz(3),
  sensitive boolean not null,
  status text not null,
  total bigint not null,
  done bigint not null default 0,
  written bigint not null default 0,
  parts integer not null default 0,
  first_sequence bigint,
  last_sequence bigint,
  position text,
  last text,
  requested_by jsonb not null,
  created_at timestamptz(3) not null default current_timestamp,
  ended_at timestamptz(6),
  primary key (organization_id, id)
);
create index audit_export_running_index on audit_export (organization_id, id) where status = 'running';
create table audit_export_part (
  organization_id uuid not null,
  export_id uuid not null,
  number integer not null,
  content text not null,
  primary key (organization_id, export_id, number),
  foreign key (organization_id, export_id) references audit_export (organization_id, id) on delete restrict
);
call tutti_protect('audit_export');
call tutti_protect('audit_export_part');
revoke update, delete on audit_export_part from tutti_api;
call tutti_show_worker('audit_export');
call tutti_show_worker('audit_export_part');
grant delete on audit_export_part to tutti_worker;
