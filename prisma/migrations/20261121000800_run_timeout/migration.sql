-- AlterTable
ALTER TABLE "run" ADD COLUMN     "timeout_ms" BIGINT,
ADD COLUMN     "began_at" TIMESTAMPTZ(3),
ADD COLUMN     "waited_ms" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "waiting_since" TIMESTAMPTZ(3);

-- A run's own time: from when it left the line, without what it spent waiting or paused.
create function note_run_time() returns trigger language plpgsql as $$ begin
  -- A failed run that is taken up again has its time anew.
  if old.status in ('queued', 'failed') then
    new.began_at := clock_timestamp();
    new.waited_ms := 0;
  end if;
  if old.waiting_since is not null and new.status not in ('waiting', 'paused') then
    new.waited_ms := new.waited_ms + extract(epoch from clock_timestamp() - old.waiting_since) * 1000;
    new.waiting_since := null;
  elsif old.waiting_since is null and new.status in ('waiting', 'paused') then
    new.waiting_since := clock_timestamp();
  end if;
  return new;
end $$;
create trigger run_time before update of status on run for each row
  when (new.timeout_ms is not null and old.status is distinct from new.status) execute function note_run_time();
create index run_timeout_index on run (id) where timeout_ms is not null and status = 'running';
