-- The event log: outbox, feed and execution record in one. Partitioned by month; the partitions live in a schema of
-- their own. `xid` stands before `seq` because defaults are evaluated in column order: a transaction must bear its id
-- before it draws a number, or the safe horizon could pass it.
create schema log;
create schema log_partitions;
create sequence log.event_seq;

create table log.event (
  organization_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  seq bigint not null default nextval('log.event_seq'),
  id uuid not null default uuidv7(),
  type text not null,
  subject text not null,
  actor jsonb not null,
  data jsonb not null,
  run_id uuid,
  time timestamptz(3) not null default clock_timestamp(),
  primary key (organization_id, seq, time)
) partition by range (time);

-- An event is in one history: its run's, or, outside runs, its subject's. Every index more is paid by every step.
create index event_seq_index on log.event (seq);
create index event_run_index on log.event (organization_id, run_id, seq) where run_id is not null;
create index event_subject_index on log.event (organization_id, subject, seq) where run_id is null;
create table log_partitions.event_default partition of log.event default;

-- Partitions for this month and the next three; security definer so that a worker may call it on schedule.
create function log.ensure_partitions() returns void language plpgsql security definer set search_path = pg_catalog as $$
declare
  first date := date_trunc('month', now() at time zone 'UTC')::date;
  month date;
begin
  for offset_months in 0..3 loop
    month := (first + make_interval(months => offset_months))::date;
    if to_regclass('log_partitions.event_' || to_char(month, 'YYYY_MM')) is null then
      execute format(
        'create table log_partitions.%I partition of log.event for values from (%L) to (%L)',
        'event_' || to_char(month, 'YYYY_MM'),
        month::text || ' 00:00:00+00',
        (month + interval '1 month')::date::text || ' 00:00:00+00');
    end if;
  end loop;
end $$;
revoke all on function log.ensure_partitions() from public;

-- Where each named consumer of the log stands. Not a tenant's data: a position and nothing else.
create table log.consumer (
  name text primary key,
  seq bigint not null default 0,
  updated_at timestamptz(3) not null default clock_timestamp()
);
