import { join, relative, resolve } from 'node:path'

import { type LabelledExample, readExamples } from '../input/read-examples.ts'
import { readKnowledge } from '../input/read-knowledge.ts'
import { readMessages } from '../input/read-messages.ts'
import { readTextFile } from '../input/read-text-file.ts'
import { ask, greet } from '../platform/ask.ts'
import { findDoor } from '../platform/find-door.ts'
import { registerAgents } from '../platform/register-agents.ts'
import { readArguments, USAGE } from './arguments.ts'
import { collectOutcomes } from './collect-outcomes.ts'
import { compareWithExpected } from './compare-with-expected.ts'
import { describeResult } from './describe-result.ts'
import { showProgress } from './progress.ts'
import { publishKnowledge } from './publish-knowledge.ts'
import { type StartedRun, startRuns } from './start-runs.ts'
import { watchRuns } from './watch-runs.ts'
import { writeOutcomes } from './write-outcomes.ts'

const HERE = import.meta.dirname

const APPLY = `mutation ApplyWorkflow($input: ApplyWorkflowInput!) {
  applyWorkflow(input: $input) { changed workflow { id name latestVersion { version } } }
}`

interface Applied {
  applyWorkflow: {
    changed: boolean
    workflow: { id: string; name: string; latestVersion: { version: number } }
  }
}

/** Runs the example; the result is the exit code, 0 when every message was answered or reached a person. */
export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args)
  if (given === 'help') {
    console.log(USAGE)
    return 0
  }
  const messages = readMessages(given.messages).slice(0, given.limit)
  const examples = readExamples(given.examples)
  const articles = readKnowledge(given.knowledge)
  warnWhenNothingFits(examples, articles)

  const door = findDoor({ url: given.url, key: given.key, role: 'operator' })
  await greet(door)
  console.log(`Tutti at ${door.url}, key from ${door.keySource}`)

  const { agents, changed } = await registerAgents(door, join(HERE, 'agents'), {
    setting: 'examples',
    content: asCsv(examples),
  })
  console.log(`${agents} agents (${changed} new or changed), ${examples.length} labelled examples`)
  const { applyWorkflow } = await ask<Applied>(door, APPLY, {
    input: { document: readTextFile(join(HERE, 'workflow.yaml')) },
  })
  const { workflow } = applyWorkflow
  console.log(`workflow ${workflow.name}, version ${workflow.latestVersion.version}`)
  const published = await publishKnowledge(door, articles)
  console.log(`${articles.length} articles (${published} new or changed)`)

  const began = performance.now()
  const started: StartedRun[] = []
  await using watch = await watchRuns(door, workflow.id)
  {
    using _progress = showProgress(watch, messages.length)
    await startRuns(door, workflow.id, messages, (runs) => {
      for (const one of runs) watch.add(one.runId, one.status)
      started.push(...runs)
    })
    await watch.allSettled()
  }
  const seconds = (performance.now() - began) / 1000
  if (watch.cuts() > 0) console.log(`The feed was cut ${watch.cuts()} times and went on from its cursor.`)

  const outcomes = await collectOutcomes(door, started)
  const file = resolve(process.env['TUTTI_DIRECTORY'] ?? '.tutti', 'example-customer-service.csv')
  writeOutcomes(file, outcomes)
  const comparison = given.ownMessages ? compareWithExpected(outcomes, join(HERE, 'expected.csv')) : undefined
  console.log(describeResult(outcomes, { seconds, url: door.url, file: relative('', file), comparison }))
  return outcomes.some((outcome) => outcome.ending === 'failed' || outcome.ending === 'open') ? 1 : 0
}

function asCsv(examples: readonly LabelledExample[]): string {
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
  return `text,category\n${examples.map(({ text, category }) => `${quote(text)},${quote(category)}`).join('\n')}\n`
}

function warnWhenNothingFits(
  examples: readonly { category: string }[],
  articles: readonly { intents: string[] }[],
) {
  const categories = new Set(examples.map((example) => example.category))
  const covered = new Set(
    articles.flatMap((article) => article.intents).filter((intent) => categories.has(intent)),
  )
  if (covered.size === 0 && articles.some((article) => article.intents.length > 0))
    console.warn(
      `Note: no article names one of the ${categories.size} categories of your examples, so most messages will reach a person. --knowledge DIR brings your own articles.`,
    )
}
