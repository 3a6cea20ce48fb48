import type { WorkflowDefinition } from '../definitions/index.ts'

/** Finds a workflow: the given version, else the published one. */
export type FindWorkflow = (name: string, version?: number) => Promise<WorkflowDefinition | undefined>

/** The workflows that a test can run as sub-workflows. */
export type Subworkflows = (name: string, version?: number) => WorkflowDefinition | undefined

const MOST_WORKFLOWS = 200

/** Every workflow that a definition calls, and those that they call; more than 200 are not there. */
export async function findSubworkflows(
  definition: WorkflowDefinition,
  find: FindWorkflow,
): Promise<Subworkflows> {
  const found = new Map<string, WorkflowDefinition | undefined>()
  const toRead = [definition]
  for (let one = toRead.pop(); one; one = toRead.pop())
    for (const node of Object.values(one.nodes)) {
      if (node.kind !== 'workflow') continue
      const key = keyOf(node.workflow, node.version)
      if (found.has(key) || found.size >= MOST_WORKFLOWS) continue
      const called = await find(node.workflow, node.version)
      found.set(key, called)
      if (called) toRead.push(called)
    }
  return (name, version) => found.get(keyOf(name, version))
}

const keyOf = (name: string, version?: number): string => JSON.stringify([name, version ?? null])
