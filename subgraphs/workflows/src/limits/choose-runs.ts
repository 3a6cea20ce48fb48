/** A run that waits for its turn. */
export interface QueuedRun {
  runId: string
  strandId: string
  workflowId: string
  limitKey: string | null
  /** 0: started by itself; deeper: a sub-workflow. */
  depth: number
}

/** A limit on runs under way. Sub-workflows do not count in the organization's, only the run above them does. */
export type RunLimit =
  | { readonly of: 'organization'; readonly most: number }
  | { readonly of: 'workflow' | 'key'; readonly workflowId: string; readonly most: number }

/** Runs under way: in all, by workflow, and by `<workflow id>/<key>`. */
export interface RunCounts {
  organization: number
  workflows: ReadonlyMap<string, number>
  keys: ReadonlyMap<string, number>
}

/** Chooses from queued runs in their order, as many as every limit that concerns them has room for. */
export function chooseRuns(
  waiting: readonly QueuedRun[],
  limits: readonly RunLimit[],
  counts: RunCounts,
): QueuedRun[] {
  let inOrganization = lowest(limits.filter(({ of }) => of === 'organization')) - counts.organization
  const inWorkflow = new Map<string, number>()
  const inKey = new Map<string, number>()
  const chosen: QueuedRun[] = []
  for (const run of waiting) {
    const { workflowId, limitKey, depth } = run
    const key = limitKey === null ? null : `${workflowId}/${limitKey}`
    const ofWorkflow =
      inWorkflow.get(workflowId) ??
      mostOf(limits, 'workflow', workflowId) - (counts.workflows.get(workflowId) ?? 0)
    const ofKey =
      key === null
        ? Infinity
        : (inKey.get(key) ?? mostOf(limits, 'key', workflowId) - (counts.keys.get(key) ?? 0))
    const begins = ofWorkflow >= 1 && ofKey >= 1 && (depth > 0 || inOrganization >= 1)
    if (begins) chosen.push(run)
    if (begins && depth === 0) inOrganization -= 1
    inWorkflow.set(workflowId, begins ? ofWorkflow - 1 : ofWorkflow)
    if (key !== null) inKey.set(key, begins ? ofKey - 1 : ofKey)
  }
  return chosen
}

const lowest = (limits: readonly RunLimit[]): number => Math.min(Infinity, ...limits.map(({ most }) => most))

const mostOf = (limits: readonly RunLimit[], of: 'workflow' | 'key', workflowId: string): number =>
  lowest(limits.filter((limit) => limit.of === of && limit.workflowId === workflowId))
