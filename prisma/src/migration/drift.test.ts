import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTestDatabase } from '../testing/test-database.ts'
import { openSchemaEngine } from './schema-engine.ts'

const directory = join(import.meta.dirname, '../../models')
const models = globSync('*.prisma', { cwd: directory })
  .sort()
  .map((path): [string, string] => [path, readFileSync(join(directory, path), 'utf8')])

/**
 * What migrations add by hand and models cannot say or need not: indexes over part of a key, in an order, or by another
 * method. (Those with a `where` are not compared at all.) Nothing else may differ.
 */
const BY_HAND = [
  'agent_load_age_index',
  'article_title_trigram_index',
  'budget_reservation_expiry_index',
  'budget_use_age_index',
  'connector_delivery_age_index',
  'decision_link_expiry_index',
  'integration_event_age_index',
  'model_call_age_index',
  'model_response_expiry_index',
  'notification_age_index',
  'run_id_index',
  'strand_id_index',
  'task_id_index',
  'task_log_expiry_index',
  'trigger_firing_list_index',
  'workflow_id_index',
  'workflow_version_id_index',
]

/** The statements that would make the migrated database what the models say. */
async function drift(changed: (path: string, text: string) => string = (_, text) => text): Promise<string[]> {
  await using world = await openTestDatabase()
  const files = models.map(([path, text]): [string, string] => [path, changed(path, text)])
  const { engine, close } = await openSchemaEngine(world.url, files)
  try {
    const target = { files: files.map(([path, content]) => ({ path, content })), configDir: '.' }
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', ...target },
      to: { tag: 'schemaDatamodel', ...target },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    return (stdout ?? '')
      .split(/;\s*\n/)
      .flatMap((statement) => statement.replaceAll(/^--.*\n/gm, '').trim() || [])
  } finally {
    await close()
  }
}

test('the migrations make the database that the models describe', async () => {
  expect((await drift()).sort()).toEqual(BY_HAND.map((name) => `DROP INDEX "${name}"`))
})

test('a model that no migration made would be seen, and so would a column, a default and an index', async () => {
  const seen = await drift((path, text) =>
    path === 'workflows.prisma'
      ? text
          .replace('  needed         Int ', '  wanted         Int ')
          .replace('@@map("workflow")', '@@index([trigger])\n  @@map("workflow")')
          .concat('model Forgotten {\n  organizationId String @id\n}\n')
      : text,
  )
  const told = seen.join('\n')
  for (const change of [
    /DROP COLUMN "needed"/,
    /ADD COLUMN +"wanted"/,
    /CREATE INDEX "workflow_trigger_idx"/,
    /"Forgotten"/,
  ])
    expect(told).toMatch(change)
})
