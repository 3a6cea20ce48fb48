import { join } from 'node:path'

import { readMessages } from '../input/read-messages.ts'
import { readTextFile } from '../input/read-text-file.ts'
import { ask, greet } from '../platform/ask.ts'
import { type Door, findDoor } from '../platform/find-door.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { decideApproval, describeApproval } from './decide-approval.ts'
import { describeWays, isCompleted, type WayOutcome } from './describe-ways.ts'
import { prepareWay } from './prepare-way.ts'
import { readDocument } from './read-document.ts'
import { runMessages } from './run-messages.ts'
import { registerAgent, switchAgent } from './switch-agent.ts'
import type { Way } from './ways.ts'

const HERE = import.meta.dirname
const PATIENCE_MS = 60_000
const PATIENCE_WITH_YOU_MS = 30 * 60_000

const APPLY = `mutation ApplyWorkflow($input: ApplyWorkflowInput!) {
  applyWorkflow(input: $input) { workflow { id name latestVersion { version } } }
}`

interface Applied {
  applyWorkflow: { workflow: { id: string; name: string; latestVersion: { version: number } } }
}

/** Runs the example; the result is the exit code, 0 when every run of every way was completed. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args)
  if (given === 'help') {
    console.log(USAGE)
    return 0
  }
  const door = findDoor({ url: given.url, key: given.key, role: 'admin' })
  await greet(door)
  console.log(`Tutti at ${door.url}, key from ${door.keySource}`)
  const plain = readDocument('builtin', { MODEL: 'none' })
  const agentId = await registerAgent(door, plain)
  const { applyWorkflow } = await ask<Applied>(door, APPLY, {
    input: { document: readTextFile(join(HERE, 'workflow.yaml')) },
  })
  const { workflow } = applyWorkflow
  console.log(`workflow ${workflow.name}, version ${workflow.latestVersion.version}, for all that follows\n`)

  const outcomes: WayOutcome[] = []
  try {
    for (const way of given.ways) outcomes.push(await runWay(door, way, { ...given, agentId, workflow }))
  } finally {
    // The servers are gone: nothing is left that points at them.
    await switchAgent(door, agentId, plain)
  }
  console.log(describeWays(outcomes))
  return outcomes.every(isCompleted) ? 0 : 1
}

async function runWay(
  door: Door,
  way: Way,
  given: Arguments & { agentId: string; workflow: { id: string } },
): Promise<WayOutcome> {
  await using prepared = await prepareWay(way, door, given)
  const version = await switchAgent(door, given.agentId, readDocument(way, prepared.values))
  const runs = await runMessages(door, given.workflow.id, readMessages(join(HERE, 'messages.jsonl')), {
    patienceMs: given.byHand ? PATIENCE_WITH_YOU_MS : PATIENCE_MS,
    async onAsked(approval) {
      if (given.byHand) console.log(describeApproval(door, approval))
      else await decideApproval(door, approval)
    },
  })
  return { way, version, runs }
}
