import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { prismaModels } from './prisma-models.ts'
import { root } from './source-files.ts'

const models = globSync('prisma/models/*.prisma', { cwd: root })
  .sort()
  .flatMap((path) => prismaModels(basename(path), readFileSync(join(root, path), 'utf8')))
/** Unique over all tenants, since they are looked up before a tenant is known. */
const GLOBAL = [
  'ApiKey.hash',
  'Connector.pathHash',
  'DecisionLink.tokenHash',
  'Session.hash',
  'Trigger.pathHash',
]
const ownerOf = new Map(models.map((model) => [model.name, model.file]))

test('the rules see the models', () => {
  expect(models.length).toBeGreaterThan(10)
})

describe.each(models.map((model) => [model.name, model] as const))('%s', (name, model) => {
  test('carries its tenant', () => {
    const field = model.fields.find((each) => each.name === 'organizationId')
    expect(field?.type).toBe('String')
    expect(field?.attributes).toContain('@map("organization_id")')
  })

  test('is keyed by its tenant first', () => {
    if (name === 'Organization') return
    const keys = model.blockAttributes.filter((line) => /^@@(id|unique)\b/.test(line))
    expect(keys.some((line) => line.startsWith('@@id'))).toBe(true)
    for (const key of keys) expect(key).toMatch(/^@@(id|unique)\((fields:\s*)?\[organizationId\b/)
    const single = model.fields.filter((field) => /@(id|unique)\b/.test(field.attributes))
    expect(single.map((field) => `${name}.${field.name}`).filter((field) => !GLOBAL.includes(field))).toEqual(
      [],
    )
  })

  test('refers only within its tenant and its subgraph, and never changes a key', () => {
    for (const field of model.fields.filter(
      ({ attributes }) => attributes.includes('@relation(') && attributes.includes('fields:'),
    )) {
      expect(field.attributes, field.name).toMatch(/fields:\s*\[organizationId\b/)
      expect(field.attributes, field.name).toMatch(/references:\s*\[organizationId\b/)
      expect(field.attributes, field.name).toContain('onUpdate: NoAction')
      expect(ownerOf.get(field.type), field.name).toBe(model.file)
    }
  })
})

test('a model that forgets its tenant would be seen', () => {
  const [model] = prismaModels(
    'x.prisma',
    'model A {\n  id String @id // the key\n  b  B? @relation(fields: [bId])\n}\n',
  )
  expect(model).toEqual({
    file: 'x.prisma',
    name: 'A',
    fields: [
      { name: 'id', type: 'String', attributes: '@id' },
      { name: 'b', type: 'B', attributes: '@relation(fields: [bId])' },
    ],
    blockAttributes: [],
  })
})
