import type pg from 'pg'

/**
 * Triggers that write down who took which strand and who ended which task, by the name of the connection: a second record,
 * of nothing the engine reads or writes. What is noted is noted in the transaction that did it, or not at all.
 */
const WITNESS = `
create schema chaos;
create table chaos.claim (
  seq bigint generated always as identity primary key, strand uuid not null, run uuid not null, path text not null,
  task uuid, who text not null, lost boolean not null, at timestamptz not null default clock_timestamp()
);
create index on chaos.claim (strand, seq);
create table chaos.settlement (
  seq bigint generated always as identity primary key, task uuid not null, who text not null,
  at timestamptz not null default clock_timestamp()
);

create function chaos.note_claim() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into chaos.claim (strand, run, path, task, who, lost) values (new.id, new.run_id, new.path, new.task_id,
    current_setting('application_name'), case when tg_op = 'UPDATE' then old.status = 'running' else false end);
  return null;
end $$;
create function chaos.note_settlement() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into chaos.settlement (task, who) values (new.id, current_setting('application_name'));
  return null;
end $$;

create trigger chaos_claimed after update on public.strand for each row
  when (new.status = 'running' and new.claim_id is distinct from old.claim_id) execute function chaos.note_claim();
create trigger chaos_begun after insert on public.strand for each row
  when (new.status = 'running') execute function chaos.note_claim();
create trigger chaos_settled after update on public.task for each row
  when (new.status = 'completed' and old.status <> 'completed') execute function chaos.note_settlement();
create trigger chaos_born_settled after insert on public.task for each row
  when (new.status = 'completed') execute function chaos.note_settlement();
`

/** Puts the witness into a migrated database, as its owner. */
export async function installWitness(owner: pg.Pool): Promise<void> {
  await owner.query(WITNESS)
}

/** How many strands a worker holds at this moment. */
export async function countHeld(owner: pg.Pool, who: string): Promise<number> {
  const { rows } = await owner.query<{ held: number }>(
    `select count(*)::int as held from strand s where s.status = 'running' and s.task_id is not null
       and (select c.who from chaos.claim c where c.strand = s.id order by c.seq desc limit 1) = $1`,
    [who],
  )
  return rows[0]?.held ?? 0
}
