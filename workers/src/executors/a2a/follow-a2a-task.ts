import { type Artifact, type Message, Role, type StreamResponse, type Task, TaskState } from '@a2a-js/sdk'
import { MOST_VALUE_BYTES } from '@tutti/schema'
import type { TaskOutcome } from '@tutti/workflows/domain'
import { failed, succeeded } from '../executor.ts'
import { outputOfArtifacts, outputOfMessage, textOf } from './a2a-parts.ts'

const MOST_MESSAGE = 500

/** What an A2A agent has said of its work so far. */
export interface Followed {
  /** Of the agent's task; undefined while it has made none. */
  readonly taskId: string | undefined
  /** What came of it; undefined while it is under way. */
  readonly outcome: TaskOutcome | undefined
  take(said: StreamResponse['payload']): void
}

/** Follows one message's work. `onNews` is told that the agent said something, with its words where there are any. */
export function followA2aTask(onNews: (taskId: string, words: string) => void): Followed {
  let taskId: string | undefined
  let outcome: TaskOutcome | undefined
  let state = TaskState.TASK_STATE_SUBMITTED
  let said: Message | undefined
  const artifacts = new Map<string, Artifact>()

  function takeTask(task: Task): void {
    taskId = task.id
    artifacts.clear()
    for (const artifact of task.artifacts) artifacts.set(artifact.artifactId, artifact)
    takeStatus(task.status, task.history)
  }

  function takeStatus(status: Task['status'], history: readonly Message[] = []): void {
    if (status) {
      state = status.state
      said = status.message
    }
    outcome = outcomeOf(state, [...artifacts.values()], said ?? history.findLast(isAgents))
    if (taskId !== undefined && !outcome) onNews(taskId, textOf(said).slice(0, MOST_MESSAGE))
  }

  function takeArtifact({ artifactId, parts, ...rest }: Artifact, append: boolean): void {
    const before = append ? (artifacts.get(artifactId)?.parts ?? []) : []
    artifacts.set(artifactId, { ...rest, artifactId, parts: [...before, ...parts] })
    // Pieces of any size could come without end.
    if (isTooLarge(outputOfArtifacts([...artifacts.values()]))) outcome = TOO_LARGE
    else if (taskId !== undefined) onNews(taskId, '')
  }

  return {
    get taskId() {
      return taskId
    },
    get outcome() {
      return outcome
    },
    take(payload) {
      switch (payload?.$case) {
        case 'message':
          outcome = done(outputOfMessage(payload.value))
          return
        case 'task':
          takeTask(payload.value)
          return
        case 'statusUpdate':
          taskId ??= payload.value.taskId
          takeStatus(payload.value.status)
          return
        case 'artifactUpdate':
          taskId ??= payload.value.taskId
          if (payload.value.artifact) takeArtifact(payload.value.artifact, payload.value.append)
          return
        default:
      }
    },
  }
}

/** What a task's state means for the attempt; undefined while there is more to come. */
export function outcomeOf(
  state: TaskState,
  artifacts: readonly Artifact[],
  said: Message | undefined,
): TaskOutcome | undefined {
  const words = textOf(said).slice(0, MOST_MESSAGE)
  const because = words === '' ? '.' : `: ${words}`
  switch (state) {
    case TaskState.TASK_STATE_COMPLETED:
      return done(artifacts.length > 0 ? outputOfArtifacts(artifacts) : said ? outputOfMessage(said) : null)
    case TaskState.TASK_STATE_FAILED:
      return failed('AGENT_TASK_FAILED', `The agent could not do it${because}`)
    case TaskState.TASK_STATE_REJECTED:
      return failed('AGENT_TASK_REJECTED', `The agent would not do it${because}`)
    case TaskState.TASK_STATE_CANCELED:
      return failed('AGENT_TASK_CANCELED', `The agent’s task was cancelled on its side${because}`)
    case TaskState.TASK_STATE_INPUT_REQUIRED:
      return failed(
        'AGENT_INPUT_REQUIRED',
        `The agent asks for more, and nobody is there to answer${because}`,
      )
    case TaskState.TASK_STATE_AUTH_REQUIRED:
      return failed('AGENT_AUTH_REQUIRED', `The agent asks for a permission that it does not have${because}`)
    default:
      return undefined
  }
}

const TOO_LARGE = failed('AGENT_ANSWER_TOO_LARGE', 'The agent answered more than 2 MiB.')

const done = (output: unknown): TaskOutcome => (isTooLarge(output) ? TOO_LARGE : succeeded(output))

const isTooLarge = (output: unknown): boolean =>
  Buffer.byteLength(JSON.stringify(output) ?? '') > MOST_VALUE_BYTES

const isAgents = ({ role }: Message): boolean => role === Role.ROLE_AGENT
