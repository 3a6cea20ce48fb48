import { setTimeout as pause } from 'node:timers/promises'
import { type AgentCard, Role, type SendMessageRequest } from '@a2a-js/sdk'
import {
  type Client,
  ClientFactory,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  RestTransportFactory,
} from '@a2a-js/sdk/client'
import { A2A_ERROR_CODE, A2AError, isJsonRpcError } from '@a2a-js/sdk/errors'
import { failed, type Executor, type TaskCall } from '../executor.ts'
import { placeIn } from '../mcp/tool-arguments.ts'
import { openWire, reasonOf, type Wire } from '../open-wire.ts'
import { contentOf, partOf } from './a2a-parts.ts'
import { type Followed, followA2aTask } from './follow-a2a-task.ts'

const CARD_PATH = '.well-known/agent-card.json'
const POLL_MS = 500
const MOST_POLL_MS = 10_000
const CANCEL_MS = 5_000
const OUTPUT_MODES = ['text/plain', 'application/json']

/**
 * Sends the task to an A2A agent as a message, whose id is the idempotency key and whose context the run, and follows
 * what comes of it: by its stream where its card says that it streams, else by asking, until the attempt's time is up; then the
 * agent's task is cancelled. An attempt that begins again goes on with the agent's task, where it is still known.
 */
export const executeOverA2a: Executor = async (call) => {
  const { agent, task, signal } = call
  const { url, message: path } = agent.executor
  if (url === undefined) return failed('AGENT_UNBOUND', `Agent "${agent.name}" has no URL.`)
  const at = path === undefined ? undefined : placeIn(task.input, path)
  const content = contentOf(task.input, at, path)
  if (!content) return failed('AGENT_INPUT_MISSING', `There is nothing at "${path}" in the task's input.`)
  const wire = await openWire(call, url)
  const followed = followA2aTask((taskId, words) =>
    call.report({ ...(words === '' ? {} : { message: words }), data: { a2aTaskId: taskId } }),
  )
  let client: Client | undefined
  try {
    const card = await readCard(url, wire.fetch)
    client = await factory(wire).createFromAgentCard(card)
    const request = requestOf(call, partOf(content))
    if (!(await goesOn(client, call, followed))) await send(client, card, request, followed, signal)
    await poll(client, followed, signal)
    return followed.outcome ?? failed('AGENT_UNREACHABLE', 'The attempt is over.', { retryable: true })
  } catch (error) {
    return failureOf(error, wire)
  } finally {
    if (client) await cancel(client, followed, signal)
  }
}

/** Where the card is, of an agent's URL: itself when it is a card's, else the well-known place below it. */
const cardUrl = (url: string): string =>
  new URL(url).pathname.endsWith('.json') ? url : new URL(CARD_PATH, `${url.replace(/\/+$/, '')}/`).href

// Agents of protocol 0.3 are understood as well.
const LEGACY = { legacyCompat: { enabled: true } }

/** What an agent says of itself. Rejects with what the SDK, or the connection, says. */
export const readCard = (url: string, fetch: Wire['fetch']): Promise<AgentCard> =>
  new DefaultAgentCardResolver({ fetchImpl: fetch, ...LEGACY }).resolve(cardUrl(url), '')

const factory = ({ fetch }: Wire): ClientFactory =>
  new ClientFactory({
    transports: [
      new JsonRpcTransportFactory({ fetchImpl: fetch, ...LEGACY }),
      new RestTransportFactory({ fetchImpl: fetch, ...LEGACY }),
    ],
  })

function requestOf({ idempotencyKey, task }: TaskCall, part: ReturnType<typeof partOf>): SendMessageRequest {
  return {
    tenant: '',
    message: {
      messageId: idempotencyKey,
      contextId: task.runId,
      taskId: '',
      role: Role.ROLE_USER,
      parts: [part],
      metadata: undefined,
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: {
      acceptedOutputModes: OUTPUT_MODES,
      taskPushNotificationConfig: undefined,
      returnImmediately: true,
    },
    metadata: undefined,
  }
}

/** Whether the agent's task of an attempt before is still under way or done; then it is followed. */
async function goesOn(
  client: Client,
  { lastReport, signal }: TaskCall,
  followed: Followed,
): Promise<boolean> {
  const id = placeIn(lastReport?.data, 'a2aTaskId')
  if (typeof id !== 'string') return false
  try {
    const value = await client.getTask({ tenant: '', id }, { signal })
    const earlier = followA2aTask(() => undefined)
    earlier.take({ $case: 'task', value })
    if (earlier.outcome?.type === 'failed') return false
    followed.take({ $case: 'task', value })
    return true
  } catch (error) {
    if (error instanceof A2AError) return false
    throw error
  }
}

async function send(
  client: Client,
  card: AgentCard,
  request: SendMessageRequest,
  followed: Followed,
  signal: AbortSignal,
): Promise<void> {
  if (!card.capabilities?.streaming) {
    const result = await client.sendMessage(request, { signal })
    if ('messageId' in result) followed.take({ $case: 'message', value: result })
    else followed.take({ $case: 'task', value: result })
    return
  }
  try {
    for await (const { payload } of client.sendMessageStream(request, { signal })) {
      followed.take(payload)
      if (followed.outcome) return
    }
  } catch (error) {
    // A stream that broke is no lost task: it is asked after.
    if (followed.taskId === undefined || signal.aborted || error instanceof A2AError) throw error
  }
}

async function poll(client: Client, followed: Followed, signal: AbortSignal): Promise<void> {
  for (let wait = POLL_MS; !followed.outcome; wait = Math.min(MOST_POLL_MS, wait * 1.5)) {
    if (followed.taskId === undefined) throw new Error('it ended its stream without an answer')
    await pause(wait, undefined, { signal })
    const value = await client.getTask({ tenant: '', id: followed.taskId }, { signal })
    followed.take({ $case: 'task', value })
  }
}

/** Tells the agent that nobody waits any more. */
async function cancel(client: Client, { taskId: id, outcome }: Followed, signal: AbortSignal): Promise<void> {
  const isTooLarge = outcome?.type === 'failed' && outcome.error.code === 'AGENT_ANSWER_TOO_LARGE'
  if (id === undefined || !(isTooLarge || (signal.aborted && !outcome))) return
  await client
    .cancelTask({ tenant: '', id, metadata: undefined }, { signal: AbortSignal.timeout(CANCEL_MS) })
    .catch(() => undefined)
}

function failureOf(error: unknown, wire: Wire): ReturnType<Wire['failureOf']> {
  if (!(error instanceof A2AError)) return wire.failureOf(error)
  const retryable = isJsonRpcError(error) && error.envelopeCode === A2A_ERROR_CODE.INTERNAL_ERROR
  return failed('AGENT_REFUSED', `The agent refused: ${reasonOf(error)}`, { retryable })
}
