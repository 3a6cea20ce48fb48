import type { CreateTask } from '../engine/core/index.ts'
import type { TaskOutcome } from '../engine/worker/outcome.ts'
import { fitsPattern } from './step-pattern.ts'
import type { Mock, MockAnswer } from './test-settings.ts'

/** A step that wants an answer. */
export type AskedStep = {
  readonly created: CreateTask
  readonly attempt: number
  /** The path of the step within its run. */
  readonly path: string
  /** Path of its run's step and `>`; '' for the run under test. */
  readonly prefix: string
  /** Path of its strand: what a sequence of answers is counted along. */
  readonly strand: string
}

/** What a mock said. */
export type MockedOutcome = {
  readonly latencyMs: number
  readonly outcome: TaskOutcome & { readonly type: 'succeeded' | 'failed' }
  /** Why its expression could not be evaluated, if so; the outcome is then a failure. */
  readonly problem?: string
}

/** Whether a pattern means a step: by its whole path or its name, that is the last part of it. */
export function namesStep(pattern: string, { prefix, path }: Pick<AskedStep, 'prefix' | 'path'>): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return [name, path, prefix + path].some((text) => fitsPattern(pattern, text))
}

/** Counts along strands: the n-th answer that a step of a strand is given, from 1. */
export class StepCounts {
  readonly #counts = new Map<string, number>()

  next({ prefix, strand, created }: AskedStep, what: string | number): number {
    const undoes = created.path.endsWith('~undo')
    const key = JSON.stringify([what, prefix, strand, created.node, undoes])
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, count)
    return count
  }
}

/** The n-th of a sequence, counted from 1; the last stands for all that follow. */
export const nthOf = <Each>(sequence: readonly Each[], count: number): Each | undefined =>
  sequence[Math.min(count, sequence.length) - 1]

/** Answers for agents, messages and sub-workflows by the first mock that means the step. */
export class Mocks {
  readonly #mocks: readonly Mock[]
  readonly #echo: boolean
  readonly #counts = new StepCounts()

  constructor(mocks: readonly Mock[], echo: boolean) {
    this.#mocks = mocks
    this.#echo = echo
  }

  /** Undefined when no mock means it. An agent then answers with its input, if that was asked for. */
  answer(asked: AskedStep): MockedOutcome | undefined {
    const place = this.#mocks.findIndex((mock) => isMeant(mock, asked))
    const mock = this.#mocks[place]
    if (!mock) {
      const { kind, input } = asked.created
      if (!this.#echo || kind !== 'agent') return undefined
      return { latencyMs: 0, outcome: { type: 'succeeded', output: input } }
    }
    const call = this.#counts.next(asked, place)
    const answer = nthOf(mock.answers, call)
    return answer && say(answer, asked, call)
  }
}

/** A message is sent for good, and a sub-workflow runs itself, unless a mock is plainly about it. */
function isMeant({ step, agent, capability, workflow }: Mock, asked: AskedStep): boolean {
  const { created } = asked
  if (step !== undefined && !namesStep(step, asked)) return false
  if (created.kind === 'workflow') return workflow === created.workflow
  if (workflow !== undefined) return false
  if (created.kind === 'message')
    return step !== undefined && !step.includes('*') && agent === undefined && capability === undefined
  if (created.kind !== 'agent') return false
  if (agent !== undefined) return created.agent === agent
  return capability === undefined || created.capability === capability
}

function say(answer: MockAnswer, { created, attempt, path }: AskedStep, call: number): MockedOutcome {
  const { latencyMs } = answer
  if (answer.type === 'output') return { latencyMs, outcome: { type: 'succeeded', output: answer.output } }
  if (answer.type === 'error') return { latencyMs, outcome: { type: 'failed', error: answer.error } }
  const { expression } = answer
  const value = expression.evaluate({ input: created.input, attempt, call, path })
  if (value.ok) return { latencyMs, outcome: { type: 'succeeded', output: value.value } }
  const problem = `${expression.text}: ${value.message}`
  const error = { code: 'MOCK_FAILED', message: problem, retryable: false }
  return { latencyMs, outcome: { type: 'failed', error }, problem }
}
