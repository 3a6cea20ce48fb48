import { expect } from 'vitest'
import { applyWorkflow, readRun, registerAgent, type RunSeen, startRuns } from '../flows/operations.ts'
import type { Organization } from '../world/organization.ts'

const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED']

/** Registers an agent and applies a workflow of one step by it, which puts out `result`; answers with both ids. */
export async function bindAgent(
  org: Organization,
  name: string,
  document: string,
  step: object = {},
): Promise<{ agentId: string; workflowId: string }> {
  const operator = org.as('operator')
  const agentId = await registerAgent(operator, document)
  const workflowId = await applyWorkflow(operator, {
    format: 'tutti/1',
    name,
    inputs: ['text'],
    steps: [{ name: 'work', agent: name, input: ['text'], output: 'result', retry_attempts: 0, ...step }],
  })
  return { agentId, workflowId }
}

/** Starts a run; answers with its id. */
export async function startOne(
  org: Organization,
  workflowId: string,
  text: unknown = 'hello',
): Promise<string> {
  const [id = ''] = await startRuns(org.as('operator'), workflowId, [{ text }])
  return id
}

/** Starts a run and waits for its end. */
export async function runOne(
  org: Organization,
  workflowId: string,
  text: unknown = 'hello',
): Promise<RunSeen> {
  return untilRun(org, await startOne(org, workflowId, text), ({ status }) => ENDED.includes(status))
}

/** Waits for what a run shows. */
export async function untilRun(
  org: Organization,
  id: string,
  condition: (run: RunSeen) => boolean,
): Promise<RunSeen> {
  let seen = await readRun(org.as('viewer'), id)
  await expect
    .poll(
      async () => {
        seen = await readRun(org.as('viewer'), id)
        return condition(seen)
      },
      { timeout: 20_000 },
    )
    .toBe(true)
  return seen
}
