import type { WorkflowDefinition } from '../../definitions/index.ts'
import { advance, type RunView, type Transition } from '../core/index.ts'
import type { HeldStrand } from '../store/held-strand.ts'
import { INPUT } from './input.ts'
import { ORGANIZATION } from './store/claim-strands.ts'

/** A run that somebody wants to start. */
export interface Beginning {
  readonly id: string
  readonly workflow: string
  readonly key: string
  readonly limitKey: string | null
  /** Set by a process that would begin it itself. */
  readonly claim?: string
}

/** `beginning` of `runs/start-runs.ts`: the main strand as the core is shown it before anything has happened. */
export function beginning({
  id,
  workflow,
  limitKey,
  strand,
  now,
}: Pick<Beginning, 'id' | 'workflow' | 'limitKey'> & { strand: string; now: number }): HeldStrand {
  return {
    ...{ id: strand, fence: 0n, epoch: 0, runStatus: 'queued', limitKey, parentId: null, parentTaskId: null },
    ...{
      compound: null,
      key: null,
      position: null,
      path: '',
      state: {},
      outer: [],
      task: null,
      resume: null,
    },
    ...{ generation: 0, recoveries: 0, ordered: false },
    run: {
      ...{
        organizationId: ORGANIZATION,
        id,
        workflowId: workflow,
        workflowName: workflow,
        versionId: workflow,
      },
      ...{
        input: INPUT,
        createdAt: new Date(now).toISOString(),
        priority: 0,
        depth: 0,
        parentStrandId: null,
      },
    },
  }
}

/** What the start writes with it; nothing where a worker had better begin. */
export function firstTransitions(definition: WorkflowDefinition, view: RunView): Transition[] {
  const transitions = advance(definition, view, { type: 'run_started' })
  const last = transitions.at(-1)
  const isPlain =
    last?.type === 'create_task' &&
    last.kind !== 'parallel' &&
    last.kind !== 'map' &&
    last.kind !== 'workflow'
  return isPlain ? transitions : []
}
