import { randomUUID } from 'node:crypto'
import { appendFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { readTextFile } from '../input/read-text-file.ts'
import { ask, greet } from '../platform/ask.ts'
import { type Door, findDoor } from '../platform/find-door.ts'
import { findSigningSecret } from '../platform/find-signing-secret.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { enforcePolicy, type PolicyInForce } from './enforce-policy.ts'
import { endOf, type RefundRun } from './follow-run.ts'
import { type Cast, createCast } from './people.ts'
import { PLAY } from './plays.ts'
import { proveRecord } from './prove-record.ts'
import { readRefunds, type RefundRequest } from './read-refunds.ts'
import { readTrail } from './read-trail.ts'
import { type RefundAgent, startRefundAgent } from './refund-agent.ts'
import { type Chapter, tellStory } from './tell-story.ts'

const HERE = import.meta.dirname

const REGISTER = `mutation RegisterAgent($input: RegisterAgentInput!) {
  registerAgent(input: $input) { agent { id } }
}`
const APPLY = `mutation ApplyWorkflow($input: ApplyWorkflowInput!) {
  applyWorkflow(input: $input) { workflow { id } }
}`
const START = `mutation StartRuns($input: StartRunsInput!) {
  startRuns(input: $input) { runs { run { id createdAt } } }
}`

/** A refund, and the codes of what somebody tried and was refused. */
interface Told extends Chapter {
  refused: readonly string[]
}

/** Runs the example; the result is the exit code, 0 when everything was paid once or refused, and the record verifies. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args)
  if (given === 'help') {
    console.log(USAGE)
    return 0
  }
  const refunds = readRefunds(join(HERE, 'refunds.jsonl'))
  const door = findDoor({ url: given.url, key: given.key, role: 'admin' })
  await greet(door)
  console.log(`Tutti at ${door.url}, key from ${door.keySource}`)

  await using agent = await startRefundAgent()
  const workflowId = await prepare(door, agent, given)
  await using people = await createCast(door)
  const { cast } = people
  const policy = await enforcePolicy(cast)
  const runIds = await start(cast, workflowId, refunds)
  console.log(`${runIds.length} refunds; one of them waits for a deadline to pass ...\n`)
  const chapters = await Promise.all(refunds.map((request, at) => play(cast, request, runIds[at] ?? '')))
  return conclude(door, cast, { policy, chapters, agent, given })
}

/** The agent with its document, and the workflow's id. */
async function prepare(door: Door, agent: RefundAgent, { deadline }: Arguments): Promise<string> {
  const document = readTextFile(join(HERE, 'agents/refund_agent.yaml'))
  const { registerAgent } = await ask<{ registerAgent: { agent: { id: string } } }>(door, REGISTER, {
    input: { document: document.replace('$REFUND_AGENT', JSON.stringify(agent.url)) },
  })
  agent.trust(await findSigningSecret(door, registerAgent.agent.id))
  const { applyWorkflow } = await ask<{ applyWorkflow: { workflow: { id: string } } }>(door, APPLY, {
    input: {
      document: readTextFile(join(HERE, 'workflow.yaml')).replace(
        'deadline: 15s',
        `deadline: ${JSON.stringify(deadline)}`,
      ),
    },
  })
  return applyWorkflow.workflow.id
}

async function start(
  { olga }: Cast,
  workflowId: string,
  refunds: readonly RefundRequest[],
): Promise<string[]> {
  const session = randomUUID()
  const { startRuns } = await ask<{ startRuns: { runs: { run: { id: string } }[] } }>(olga.door, START, {
    input: {
      runs: refunds.map(({ order, customer, complaint, paid, where }) => ({
        workflowId,
        input: { order, customer, complaint, paid, where },
        idempotencyKey: `governed-refund/${session}/${order}`,
      })),
    },
  })
  return startRuns.runs.map(({ run }) => run.id)
}

async function play(cast: Cast, request: RefundRequest, runId: string): Promise<Told> {
  const { runIds, refused } = await PLAY[request.play](cast, runId)
  const runs = await Promise.all([runId, ...runIds].map((id) => endOf(cast.olga.door, id)))
  return { request, runs, refused }
}

/** Says what happened, whether money went out once for each yes, and whether the record verifies. */
async function conclude(
  door: Door,
  cast: Cast,
  {
    policy,
    chapters,
    agent,
    given,
  }: { policy: PolicyInForce; chapters: readonly Told[]; agent: RefundAgent; given: Arguments },
): Promise<number> {
  const runs = chapters.flatMap((chapter) => chapter.runs)
  const since = runs.map(({ createdAt }) => createdAt).toSorted()[0] ?? new Date().toISOString()
  const names = new Map([
    [policy.id, policy.name],
    ...Object.values(cast).map(({ id, name }): [string, string] => [id, name]),
  ])
  const story = tellStory({ policy, chapters }, await readTrail(door, since), names)
  const refused = chapters.flatMap((chapter) => chapter.refused)
  const paid = runs.filter(({ status }) => status === 'COMPLETED')
  const isOnce = paid.length === agent.ledger.size && paid.every((run) => isPaid(run, agent))
  const summary = [
    `${paid.length} refunds were paid, ${isOnce ? 'each once' : `but the agent's ledger has ${agent.ledger.size} payments`}; ${runs.length - paid.length} was not.`,
    `${refused.length} attempts were refused: ${[...new Set(refused)].join(', ')}.`,
  ].join('\n')
  const report = given.report === undefined ? undefined : resolve(given.report)
  const say = (text: string): void => {
    console.log(text)
    if (report !== undefined) appendFileSync(report, `${text}\n`)
  }
  if (report !== undefined) rmSync(report, { force: true })
  say(`${story}\n\n${summary}\n`)
  console.log('The record is exported when all of that is signed, in a minute at the latest ...\n')
  const ended = runs.flatMap(({ endedAt }) => endedAt ?? []).toSorted()
  const { told, holds } = await proveRecord(door, ended.at(-1) ?? since, given)
  say(told)
  return isOnce && holds ? 0 : 1
}

/** Whether the agent's ledger has what the run says was paid. */
const isPaid = ({ state: { payment } }: RefundRun, { ledger }: RefundAgent): boolean =>
  [...ledger.values()].some(({ sum, receipt }) => receipt === payment?.receipt && sum === payment.paid)
