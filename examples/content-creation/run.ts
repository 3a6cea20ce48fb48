import { join } from 'node:path'

import { readTextFile } from '../input/read-text-file.ts'
import { ask, greet } from '../platform/ask.ts'
import { findDoor } from '../platform/find-door.ts'
import { registerAgents } from '../platform/register-agents.ts'
import { readArguments, USAGE } from './arguments.ts'
import { collectPosts } from './collect-posts.ts'
import { describePosts } from './describe-posts.ts'
import { readBriefs } from './read-briefs.ts'
import { startBySchedule } from './start-by-schedule.ts'

const HERE = import.meta.dirname

const APPLY = `mutation ApplyWorkflow($input: ApplyWorkflowInput!) {
  applyWorkflow(input: $input) { workflow { id name latestVersion { version } } }
}`

interface Applied {
  applyWorkflow: { workflow: { id: string; name: string; latestVersion: { version: number } } }
}

/** Runs the example; the result is the exit code, 0 when every post was scheduled or reached a person. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args)
  if (given === 'help') {
    console.log(USAGE)
    return 0
  }
  const briefs = readBriefs(given.briefs)
  const feed = readTextFile(given.feed)

  const door = findDoor({ url: given.url, key: given.key, role: 'operator' })
  await greet(door)
  console.log(`Tutti at ${door.url}, key from ${door.keySource}`)
  const { agents, changed } = await registerAgents(door, join(HERE, 'agents'), {
    setting: 'feed',
    content: feed,
  })
  console.log(`${agents} agents (${changed} new or changed)`)
  const { applyWorkflow } = await ask<Applied>(door, APPLY, {
    input: { document: readTextFile(join(HERE, 'content-creation.yaml')) },
  })
  const { workflow } = applyWorkflow
  console.log(`workflow ${workflow.name}, version ${workflow.latestVersion.version}`)

  const scheduled = await startBySchedule(door, workflow.id, briefs, given)
  console.log(`${scheduled.length} schedules, each fired; from now on ${given.cron} ${given.timeZone}`)
  const outcomes = await collectPosts(door, scheduled)
  console.log(describePosts(outcomes, door.url))
  return outcomes.some(({ ending }) => ending === 'failed' || ending === 'open') ? 1 : 0
}
