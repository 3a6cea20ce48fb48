-- Budgets: what they allow, what is used and reserved of them, and what runs are worth.
-- AlterTable
ALTER TABLE "task_cost" ADD COLUMN     "counted" BOOLEAN NOT NULL DEFAULT true;

-- CreateTable
CREATE TABLE "budget" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "name" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "domain_id" UUID,
    "team_id" UUID,
    "agent_id" UUID,
    "workflow_id" UUID,
    "run_id" UUID,
    "step" TEXT,
    "window" TEXT NOT NULL,
    "max_usd" DECIMAL(14,6),
    "max_tokens" BIGINT,
    "max_calls" BIGINT,
    "on_breach" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "budget_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "budget_use" (
    "organization_id" UUID NOT NULL,
    "budget_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "since" TIMESTAMPTZ(6) NOT NULL,
    "used_usd" DECIMAL(24,12) NOT NULL DEFAULT 0,
    "used_tokens" BIGINT NOT NULL DEFAULT 0,
    "used_calls" BIGINT NOT NULL DEFAULT 0,
    "reserved_usd" DECIMAL(24,12) NOT NULL DEFAULT 0,
    "reserved_tokens" BIGINT NOT NULL DEFAULT 0,
    "reserved_calls" BIGINT NOT NULL DEFAULT 0,
    "most_usd" DECIMAL(24,12) NOT NULL DEFAULT 0,
    "most_tokens" BIGINT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "budget_use_pkey" PRIMARY KEY ("organization_id","budget_id","subject","since")
);

-- CreateTable
CREATE TABLE "budget_reservation" (
    "organization_id" UUID NOT NULL,
    "id" UUID NOT NULL DEFAULT uuidv7(),
    "budget_ids" UUID[],
    "subjects" TEXT[],
    "since" TIMESTAMPTZ(6)[],
    "usd" DECIMAL(24,12) NOT NULL,
    "tokens" BIGINT NOT NULL,
    "calls" BIGINT NOT NULL,
    "most_usd" DECIMAL(24,12) NOT NULL,
    "most_tokens" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "budget_reservation_pkey" PRIMARY KEY ("organization_id","id")
);

-- CreateTable
CREATE TABLE "run_value" (
    "organization_id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "value_usd" DECIMAL(14,6) NOT NULL,
    "note" TEXT,
    "declared_by" JSONB NOT NULL,
    "declared_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "run_value_pkey" PRIMARY KEY ("organization_id","run_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "budget_organization_id_name_key" ON "budget"("organization_id", "name");

-- CreateIndex
CREATE INDEX "model_call_organization_id_run_id_id_idx" ON "model_call"("organization_id", "run_id", "id");

-- CreateIndex
CREATE INDEX "model_call_organization_id_task_id_idx" ON "model_call"("organization_id", "task_id");

-- AddForeignKey
ALTER TABLE "budget_use" ADD CONSTRAINT "budget_use_organization_id_budget_id_fkey" FOREIGN KEY ("organization_id", "budget_id") REFERENCES "budget"("organization_id", "id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- What counts changes with every call: no index holds it, and the row stays on its page.
alter table budget_use set (fillfactor = 50);

call tutti_protect('budget');
call tutti_protect('budget_use');
call tutti_protect('budget_reservation');
call tutti_protect('run_value');
call tutti_show_worker('budget');
call tutti_show_worker('budget_use');
call tutti_show_worker('budget_reservation');
grant insert, update, delete on budget_use to tutti_worker;
grant insert, update, delete on budget_reservation to tutti_worker;

create index budget_reservation_expiry_index on budget_reservation (expires_at);
create index budget_use_age_index on budget_use (created_at);
create index task_cost_uncounted_index on task_cost (organization_id, id) where not counted;

-- The budgets that a call concerns, with the row of each that counts it. Who works for no agent, or no run, concerns none
-- of agents, or of runs.
create function tutti_budgets_of(organization uuid, agent uuid, run uuid, workflow uuid, path text, node text)
  returns table (budget_id uuid, subject text, since timestamptz, max_usd numeric, max_tokens bigint, max_calls bigint)
  language sql stable as $$
  select b.id,
    case b.scope when 'run' then run::text when 'step' then run || '/' || path else '' end,
    case b."window" when 'day' then public.tutti_day_start(organization) else timestamptz '1970-01-01T00:00:00Z' end,
    b.max_usd, b.max_tokens, b.max_calls
  from public.budget b
  left join public.agent a on a.organization_id = organization and a.id = agent
  left join public.team t on t.organization_id = organization and t.id = a.team_id
  where b.organization_id = organization and case b.scope
    when 'organization' then true
    when 'domain' then b.domain_id = t.domain_id
    when 'team' then b.team_id = a.team_id
    when 'agent' then b.agent_id = agent
    when 'run' then run is not null and coalesce(b.run_id, run) = run
      and (b.workflow_id is null or b.workflow_id = workflow)
    when 'step' then run is not null and path is not null and coalesce(b.run_id, run) = run
      and (b.workflow_id is null or b.workflow_id = workflow) and (b.step is null or b.step = node)
    else false end
$$;

-- Reserves an estimate in every budget that a call concerns, or in none. Locks are taken in the order of the budgets' ids:
-- so nobody waits for who waits for them. `at_most_usd` is what the call may come to: beside others' calls there must be room for
-- that, so that at most one call that is alone at its budgets' end costs more than was left. Answers
--   {"budgets": [{"budgetId", "subject", "since"}]}  reserved; empty where no budget is concerned
--   {"breached": [budget ids]}                       the estimate does not fit
--   {"busy": true}                                   it fits, but not beside what is under way: ask again
create function tutti_reserve(organization uuid, reservation uuid, agent uuid, run uuid, workflow uuid, path text, node text,
  usd numeric, tokens bigint, calls bigint, at_most_usd numeric, at_most_tokens bigint, lease interval) returns jsonb
  language plpgsql as $$
declare
  ids uuid[]; subjects text[]; starts timestamptz[]; maxes_usd numeric[]; maxes_tokens bigint[]; maxes_calls bigint[];
  breached uuid[]; busy boolean;
begin
  select array_agg(b.budget_id), array_agg(b.subject), array_agg(b.since), array_agg(b.max_usd), array_agg(b.max_tokens),
    array_agg(b.max_calls)
  into ids, subjects, starts, maxes_usd, maxes_tokens, maxes_calls
  from (select * from public.tutti_budgets_of(organization, agent, run, workflow, path, node) order by 1, 2, 3) b;
  if ids is null then return '{"budgets": []}'; end if;

  insert into public.budget_use (organization_id, budget_id, subject, since)
  select organization, w.id, w.subject, w.since from unnest(ids, subjects, starts) w(id, subject, since)
  where not exists (select from public.budget_use u where u.organization_id = organization and u.budget_id = w.id
    and u.subject = w.subject and u.since = w.since)
  order by 2, 3, 4 on conflict do nothing;

  with locked as materialized (
    select u.* from unnest(ids, subjects, starts) w(id, subject, since)
    join public.budget_use u on u.organization_id = organization and u.budget_id = w.id and u.subject = w.subject
      and u.since = w.since
    order by u.budget_id, u.subject, u.since for no key update of u
  ), judged as (
    select l.budget_id,
      coalesce(l.used_usd + l.reserved_usd + usd > m.max_usd, false)
        or coalesce(l.used_tokens + l.reserved_tokens + tokens > m.max_tokens, false)
        or coalesce(l.used_calls + l.reserved_calls + calls > m.max_calls, false) as full,
      l.reserved_calls > 0 and (coalesce(l.used_usd + l.most_usd + greatest(at_most_usd, usd) > m.max_usd, false)
        or coalesce(l.used_tokens + l.most_tokens + greatest(at_most_tokens, tokens) > m.max_tokens, false)) as crowded
    from locked l join unnest(ids, maxes_usd, maxes_tokens, maxes_calls) m(id, max_usd, max_tokens, max_calls)
      on m.id = l.budget_id
  )
  select array_agg(j.budget_id order by j.budget_id) filter (where j.full), bool_or(j.crowded)
  into breached, busy from judged j;
  if breached is not null then return jsonb_build_object('breached', to_jsonb(breached)); end if;
  if busy then return '{"busy": true}'; end if;

  update public.budget_use u set reserved_usd = u.reserved_usd + usd, reserved_tokens = u.reserved_tokens + tokens,
    reserved_calls = u.reserved_calls + calls, most_usd = u.most_usd + greatest(at_most_usd, usd),
    most_tokens = u.most_tokens + greatest(at_most_tokens, tokens)
  from unnest(ids, subjects, starts) w(id, subject, since)
  where u.organization_id = organization and u.budget_id = w.id and u.subject = w.subject and u.since = w.since;
  insert into public.budget_reservation (organization_id, id, budget_ids, subjects, since, usd, tokens, calls, most_usd,
    most_tokens, expires_at)
  values (organization, reservation, ids, subjects, starts, usd, tokens, calls, greatest(at_most_usd, usd),
    greatest(at_most_tokens, tokens), clock_timestamp() + lease);
  return (select jsonb_build_object('budgets', jsonb_agg(jsonb_build_object('budgetId', w.id, 'subject', w.subject,
    'since', w.since))) from unnest(ids, subjects, starts) w(id, subject, since));
end $$;

-- Counts what a call came to, and lets go what was reserved for it, unless its lease was over before. True while it was
-- not.
create function tutti_settle(organization uuid, reservation uuid, ids uuid[], subjects text[], starts timestamptz[],
  usd numeric, tokens bigint, calls bigint) returns boolean language plpgsql as $$
declare
  held public.budget_reservation;
begin
  delete from public.budget_reservation r where r.organization_id = organization and r.id = reservation returning * into held;
  perform from public.budget_use u join unnest(ids, subjects, starts) w(id, subject, since)
    on u.organization_id = organization and u.budget_id = w.id and u.subject = w.subject and u.since = w.since
  order by u.budget_id, u.subject, u.since for no key update of u;
  update public.budget_use u set used_usd = u.used_usd + usd, used_tokens = u.used_tokens + tokens,
    used_calls = u.used_calls + calls, reserved_usd = u.reserved_usd - coalesce(held.usd, 0),
    reserved_tokens = u.reserved_tokens - coalesce(held.tokens, 0),
    reserved_calls = u.reserved_calls - coalesce(held.calls, 0), most_usd = u.most_usd - coalesce(held.most_usd, 0),
    most_tokens = u.most_tokens - coalesce(held.most_tokens, 0)
  from unnest(ids, subjects, starts) w(id, subject, since)
  where u.organization_id = organization and u.budget_id = w.id and u.subject = w.subject and u.since = w.since;
  return held.id is not null;
end $$;

-- Lets go one reservation whose lease is over; false when there is none.
create function tutti_release_reservation() returns boolean language plpgsql as $$
declare
  held public.budget_reservation;
begin
  select * into held from public.budget_reservation r where r.expires_at < clock_timestamp()
  order by r.expires_at limit 1 for update skip locked;
  if held.id is null then return false; end if;
  perform public.tutti_settle(held.organization_id, held.id, held.budget_ids, held.subjects, held.since, 0, 0, 0);
  return true;
end $$;

-- Counts money that was spent without asking before. Today's budgets count it.
create function tutti_spend(organization uuid, agent uuid, run uuid, workflow uuid, path text, node text, usd numeric)
  returns void language plpgsql as $$
begin
  insert into public.budget_use as u (organization_id, budget_id, subject, since, used_usd)
  select organization, b.budget_id, b.subject, b.since, usd
  from public.tutti_budgets_of(organization, agent, run, workflow, path, node) b order by 2, 3, 4
  on conflict (organization_id, budget_id, subject, since)
  do update set used_usd = u.used_usd + excluded.used_usd;
end $$;

-- What an attempt cost is counted by budgets a moment later, where there are any.
create or replace function note_task_cost() returns trigger language plpgsql as $$ begin
  insert into public.task_cost (organization_id, task_id, run_id, agent_id, cost_usd, counted)
  values (new.organization_id, new.id, new.run_id, new.agent_id, new.cost_usd - coalesce(old.cost_usd, 0),
    not exists (select from public.budget b where b.organization_id = new.organization_id));
  return null;
end $$;

-- The organization's time zone; UTC where it is not known.
create function tutti_zone(organization uuid) returns text language plpgsql stable as $$
declare
  zone text := coalesce((select o.time_zone from public.organization o where o.organization_id = organization), 'UTC');
begin
  perform now() at time zone zone;
  return zone;
exception when invalid_parameter_value then
  return 'UTC';
end $$;
