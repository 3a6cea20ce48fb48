// Composes the subgraphs into schema/supergraph.graphql (the gateway's) and schema/api.graphql (the client's), and writes
// schema/workflow.schema.json, by which an editor checks and completes workflows, and schema/roles.md: who may call what.
// With --check it writes nothing and fails when the files are not what it would write. Both ways it fails when something
// in the API has no description, when an operation has no rule who may call it, when a mutation is of no action without a
// reason why, and when a change breaks clients and schema/breaking-changes.md does not say it is meant.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildASTSchema, parse } from 'graphql'

import { definitionSchema } from '../subgraphs/workflows/src/definitions/definition-schema.ts'
import { apiChanges } from './compose/api-changes.ts'
import { baseVersion } from './compose/base-version.ts'
import { composeSubgraphs } from './compose/compose-subgraphs.ts'
import { missingDescriptions } from './compose/missing-descriptions.ts'
import { roleMatrix } from './compose/role-matrix.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const problems: string[] = []

try {
  const composed = composeSubgraphs(join(root, 'subgraphs'))
  for (const warning of composed.warnings) console.warn(`warning: ${warning}`)

  const matrix = roleMatrix(
    buildASTSchema(parse(composed.supergraph), { assumeValid: true, assumeValidSDL: true }),
  )
  if (matrix.withoutRule.length > 0)
    problems.push(`anybody could call these, @requiresScopes is missing: ${matrix.withoutRule.join(', ')}`)
  if (matrix.withoutAction.length > 0) {
    problems.push(
      `authority is not asked about these: ${matrix.withoutAction.join(', ')}\n    (name them in an action of schema/src/actions.ts, or say why not in schema/src/ungoverned.ts)`,
    )
  }

  for (const [path, text] of [
    ['schema/supergraph.graphql', composed.supergraph],
    ['schema/api.graphql', composed.api],
    ['schema/roles.md', matrix.markdown],
    ['schema/workflow.schema.json', `${JSON.stringify(definitionSchema(), null, 2)}\n`],
  ] as const) {
    if (readIfPresent(path) === text) continue
    if (check) problems.push(`${path} is not what the subgraphs say: run npm run compose and commit it`)
    else writeFileSync(join(root, path), text)
  }

  const missing = missingDescriptions(composed.apiSchema)
  if (missing.length > 0)
    problems.push(`${missing.length} without a description:\n    ${missing.join('\n    ')}`)

  const base = baseVersion(root, 'schema/api.graphql')
  if (base !== undefined) {
    const changes = apiChanges(base, composed.apiSchema, readIfPresent('schema/breaking-changes.md') ?? '')
    for (const description of changes.dangerous) console.warn(`dangerous for clients: ${description}`)
    for (const description of changes.marked) console.warn(`breaking, and meant: ${description}`)
    if (changes.unmarked.length > 0) {
      problems.push(
        `${changes.unmarked.length} breaking for clients (meant? put the line into schema/breaking-changes.md):\n    ${changes.unmarked.join('\n    ')}`,
      )
    }
  }
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error))
}

for (const problem of problems) console.error(`error: ${problem}`)
if (problems.length > 0) process.exitCode = 1
else
  console.log(
    check
      ? 'The composed schema is up to date.'
      : 'Wrote schema/supergraph.graphql, schema/api.graphql, schema/roles.md and schema/workflow.schema.json.',
  )

function readIfPresent(path: string): string | undefined {
  const file = join(root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
