import type pg from 'pg'
import type { WorkflowDefinition } from '../../definitions/index.ts'
import type { CreateTask, Transition } from '../../engine/core/index.ts'
import type { Arrived, EndedTask } from '../../history/end-of-task.ts'
import { Teller } from '../../history/teller.ts'

/** A task of a run's main line that is over. */
export interface PastTask extends EndedTask {
  kind: string
  status: 'completed' | 'failed' | 'skipped' | 'cancelled'
}

/** A run's past up to a step. */
export interface Past {
  /** The main line's state when the step began. */
  state: Record<string, unknown>
  /** The tasks before it, in their order. */
  tasks: PastTask[]
}

/**
 * Replays a run through the core up to the step with the given path: the same events give the same state. Undefined when
 * its tasks do not lead there.
 */
export async function replayRun(
  client: Pick<pg.ClientBase, 'query'>,
  run: { id: string; input: Record<string, unknown>; definition: WorkflowDefinition },
  tasks: ReadonlyMap<string, PastTask>,
  path: string,
): Promise<Past | undefined> {
  const teller = new Teller(run.id, run.input, () => run.definition, await readArrived(client, tasks))
  const before: PastTask[] = []
  let transitions = teller.tell({ type: 'run_started' })
  // Each round is a task of the past more, so it ends.
  for (let round = 0; round <= tasks.size; round += 1) {
    const next = transitions.findLast(isCreation)
    if (!next) return undefined
    if (next.path === path) return { state: teller.state, tasks: before }
    const done = tasks.get(next.path)
    if (!done) return undefined
    before.push(done)
    transitions = teller.tellEnd(done, done.status)
  }
  return undefined
}

const isCreation = (transition: Transition): transition is CreateTask => transition.type === 'create_task'

/** The last tasks of the branches and items of these steps. */
async function readArrived(
  client: Pick<pg.ClientBase, 'query'>,
  tasks: ReadonlyMap<string, PastTask>,
): Promise<Arrived[]> {
  const compounds = [...tasks.values()].filter(({ kind }) => kind === 'parallel' || kind === 'map')
  if (compounds.length === 0) return []
  const { rows } = await client.query<Arrived>(
    `select parent_id as "parentId", position, arrival, output from task
     where parent_id = any($1::uuid[]) and arrival is not null order by position`,
    [compounds.map(({ id }) => id)],
  )
  return rows
}
