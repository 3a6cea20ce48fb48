import type pg from 'pg'
import type { SinkCall } from './agent-sink.ts'
import type { ShapeName } from './shapes.ts'
import type { Kill } from './worker-fleet.ts'

/** A run whose start was answered. */
export interface AcceptedRun {
  readonly id: string
  readonly n: number
  readonly shape: ShapeName
}

/** Somebody took a strand. Times here are epoch milliseconds, all of one machine's clock. */
export interface Claim {
  /** Grows along a strand. */
  readonly seq: number
  readonly strand: string
  readonly run: string
  /** What the paths of the strand's tasks begin with. */
  readonly path: string
  readonly task: string | null
  readonly who: string
  /** It was taken from somebody whose lease had run out. */
  readonly lost: boolean
  readonly at: number
}

/** A task's completion, as it was written. */
export interface Settlement {
  readonly task: string
  readonly who: string
  readonly at: number
}

export interface RecordedRun {
  readonly id: string
  readonly organizationId: string
  readonly parent: string | null
  readonly status: string
  readonly outputs: Readonly<Record<string, unknown>> | null
  readonly error: string | null
}

export interface RecordedTask {
  readonly id: string
  readonly run: string
  readonly path: string
  readonly generation: number
  readonly kind: string
  readonly status: string
  readonly attempt: number
  /** The number of the call whose answer was recorded, where an agent did it. */
  readonly call: number | null
}

/** An event of the log that ends a task or a run. */
export interface EndEvent {
  readonly seq: number
  /** As `task/<id>`. */
  readonly subject: string
  readonly type: string
}

/** Epoch milliseconds. */
export interface Outage {
  readonly from: number
  readonly to: number
}

/** Everything that is looked at afterwards. */
export interface Evidence {
  readonly accepted: readonly AcceptedRun[]
  readonly runs: readonly RecordedRun[]
  readonly tasks: readonly RecordedTask[]
  readonly ends: readonly EndEvent[]
  readonly claims: readonly Claim[]
  readonly settlements: readonly Settlement[]
  readonly strands: number
  readonly calls: readonly SinkCall[]
  readonly kills: readonly Kill[]
  /** Times without a PostgreSQL that answers. */
  readonly outages: readonly Outage[]
  /** `task.started` by task: epoch milliseconds, in order. */
  readonly starts: ReadonlyMap<string, readonly number[]>
  /** Codes of the errors that attempts were repeated for. */
  readonly retries: readonly string[]
}

const MS = (column: string): string => `extract(epoch from ${column})::float8 * 1000`

/** Reads the database; what the harness itself knows is given. */
export async function gatherEvidence(
  owner: pg.Pool,
  known: Pick<Evidence, 'accepted' | 'calls' | 'kills' | 'outages'>,
): Promise<Evidence> {
  const read = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> =>
    (await owner.query<Row>(text)).rows
  const starts = new Map<string, number[]>()
  for (const { task, at } of await read<{ task: string; at: number }>(
    `select substr(subject, 6) as task, ${MS('time')} as at from log.event where type = 'task.started' order by seq`,
  )) {
    const known = starts.get(task)
    if (known) known.push(at)
    else starts.set(task, [at])
  }
  return {
    ...known,
    runs: await read<RecordedRun>(
      `select id, organization_id as "organizationId", parent_run_id as parent, status, output->'outputs' as outputs,
         error->>'code' as error from run`,
    ),
    tasks: await read<RecordedTask>(
      `select id, run_id as run, step_path as path, generation, kind, status, attempt,
         case when kind = 'agent' then (output->>'call')::int end as call from task`,
    ),
    ends: await read<EndEvent>(
      `select seq::float8, subject, type from log.event where type in ('task.completed', 'task.failed', 'task.cancelled',
         'task.skipped', 'run.completed', 'run.failed', 'run.cancelled') order by seq`,
    ),
    claims: await read<Claim>(
      `select seq::float8, strand, run, path, task, who, lost, ${MS('at')} as at from chaos.claim order by seq`,
    ),
    settlements: await read<Settlement>(
      `select task, who, ${MS('at')} as at from chaos.settlement order by seq`,
    ),
    strands:
      (await read<{ strands: number }>('select count(*)::int as strands from strand'))[0]?.strands ?? 0,
    starts,
    retries: (
      await read<{ code: string }>(
        `select data->'error'->>'code' as code from log.event where type = 'task.retrying'`,
      )
    ).map(({ code }) => code),
  }
}
