import { parseInput } from '@tutti/runtime'
import { fail } from '@tutti/schema'
import type { Problem } from '@tutti/schema'
import { readDefinition } from '../definitions/index.ts'
import type { WorkflowDefinition } from '../definitions/index.ts'
import { checkInput, checkSignal } from '../engine/core/index.ts'
import { findSubworkflows } from './find-subworkflows.ts'
import type { FindWorkflow } from './find-subworkflows.ts'
import { playTest } from './play-test.ts'
import type { TestResult } from './test-result.ts'
import { testSettings } from './test-settings.ts'
import type { TestPlan, TestSettings } from './test-settings.ts'

/** What `testWorkflow` is given beside the workflow. */
export type TestWorkflowOptions = TestSettings & {
  /** The sub-workflows that are to run inside the test, by name, as definitions or documents. */
  readonly workflows?: Readonly<Record<string, WorkflowDefinition | string>>
}

/**
 * Plays a workflow on a virtual clock: agents are mocks, waits of days take no time, and equal arguments give equal
 * results. It needs no database, no worker and no agent.
 *
 * @throws INVALID_DOCUMENT, BAD_INPUT: with all mistakes, each with its path below `options`.
 */
export async function testWorkflow(
  workflow: WorkflowDefinition | string,
  { workflows = {}, ...settings }: TestWorkflowOptions = {},
): Promise<TestResult> {
  const definition = readTested(workflow, 'workflow')
  const others = new Map(
    Object.entries(workflows).map(([name, each]) => [name, readTested(each, `options.workflows.${name}`)]),
  )
  const find: FindWorkflow = async (name) =>
    others.get(name) ?? (name === definition.name ? definition : undefined)
  return testDefinition(definition, settings, find, 'options')
}

const MOST_TOLD = 5

/** A document that a test reads; whether its agents exist is not asked. */
export function readTested(workflow: WorkflowDefinition | string, path: string): WorkflowDefinition {
  if (typeof workflow !== 'string') return workflow
  const read = readDefinition(workflow)
  if (read.ok) return read.definition
  const problems = read.problems.map(({ line, column, ...problem }) => ({
    ...problem,
    ...(line === null ? {} : { line }),
    ...(column === null ? {} : { column }),
  }))
  // A test shows the message alone.
  const told = problems.slice(0, MOST_TOLD).map(({ path: at, message }) => `${at}: ${message}`)
  const message = `The document has mistakes (${problems.length}): ${told.join(' ')}`
  return fail('INVALID_DOCUMENT', { path, message, problems })
}

/**
 * Plays a definition with settings as a caller gave them; `root` is what the paths of mistakes begin with, `runTimeoutMs`
 * the limit of the run's own time where the definition has none.
 */
export async function testDefinition(
  definition: WorkflowDefinition,
  settings: unknown,
  find: FindWorkflow,
  root: string,
  runTimeoutMs?: number,
): Promise<TestResult> {
  const plan = parseInput(testSettings, settings, root)
  checkValues(definition, plan, root)
  const subworkflows = await findSubworkflows(definition, find)
  return playTest(definition, plan, { subworkflows, runTimeoutMs })
}

/** What a real run would be refused for: an input or a signal that does not fit what the definition declares. */
function checkValues(definition: WorkflowDefinition, { input, signals }: TestPlan, root: string): void {
  const problems: Problem[] = [
    ...checkInput(definition, input).map((problem) => ({ at: 'input', ...problem })),
    ...signals.flatMap(({ name, payload = null }, index) =>
      checkSignal(definition, name, payload).map((problem) => ({
        at: `signals.${index}.payload`,
        ...problem,
      })),
    ),
  ].map(({ at, path, message }) => ({
    code: 'SCHEMA',
    message,
    path: [root, at, ...(path === '' ? [] : [path])].join('.'),
  }))
  const [first] = problems
  if (first?.path) fail('BAD_INPUT', { path: first.path, message: first.message, problems })
}
