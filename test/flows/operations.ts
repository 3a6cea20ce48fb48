import type { Caller } from '../world/caller.ts'

/** Registers an agent's document; answers with its id. */
export async function registerAgent(caller: Caller, document: string, teamId?: string): Promise<string> {
  const { registerAgent } = await caller.query<{ registerAgent: { agent: { id: string } } }>(
    'mutation($input: RegisterAgentInput!) { registerAgent(input: $input) { agent { id } } }',
    { input: { document, teamId } },
  )
  return registerAgent.agent.id
}

/** Applies a definition, given as the object it is. */
export async function applyWorkflow(caller: Caller, definition: object): Promise<string> {
  const { applyWorkflow } = await caller.query<{ applyWorkflow: { workflow: { id: string } } }>(
    'mutation($input: ApplyWorkflowInput!) { applyWorkflow(input: $input) { workflow { id } } }',
    { input: { document: JSON.stringify(definition) } },
  )
  return applyWorkflow.workflow.id
}

/** Starts a run for each input; answers with their ids, in order. */
export async function startRuns(
  caller: Caller,
  workflowId: string,
  inputs: readonly object[],
): Promise<string[]> {
  const { startRuns } = await caller.query<{ startRuns: { runs: { run: { id: string } }[] } }>(
    'mutation($input: StartRunsInput!) { startRuns(input: $input) { runs { run { id } } } }',
    { input: { runs: inputs.map((input) => ({ workflowId, input })) } },
  )
  return startRuns.runs.map(({ run }) => run.id)
}

/** A run as most tests look at it. */
export interface RunSeen {
  status: string
  state: Record<string, unknown>
  error: { code: string; message: string } | null
  tasks: {
    stepPath: string
    status: string
    attempt: number
    error: { code: string } | null
    approval: { id: string; status: string; title: string; arguments: Record<string, unknown> } | null
  }[]
}

/** Reads it. */
export async function readRun(caller: Caller, id: string): Promise<RunSeen> {
  const { run } = await caller.query<{ run: RunSeen }>(
    `query($id: ID!) { run(id: $id) { status state error { code message }
      tasks { stepPath status attempt error { code } approval { id status title arguments } } } }`,
    { id },
  )
  return run
}

/** Decides an approval. */
export async function decide(
  caller: Caller,
  id: string,
  decision: 'APPROVE' | 'REJECT' | 'REQUEST_CHANGES',
  more: object = {},
): Promise<void> {
  await caller.query(
    'mutation($input: DecideApprovalInput!) { decideApproval(input: $input) { approval { id } } }',
    {
      input: { id, decision, ...more },
    },
  )
}
