import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { distributedEnvironment, readEnvironment, standaloneEnvironment } from './environment.ts'
import { START_ERRORS } from './start-error.ts'

const operations = readFileSync(join(import.meta.dirname, '../../docs/operations.md'), 'utf8')

it('documents every way in which a start can fail, and no other', () => {
  const section = operations.slice(
    operations.indexOf('## When it does not start'),
    operations.indexOf('## docker'),
  )
  const documented = [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1] ?? '')
  expect(documented.toSorted()).toEqual(Object.keys(START_ERRORS).toSorted())
})

it('documents every variable of the two ways to start', () => {
  const section = operations.slice(operations.indexOf('## Environment'), operations.indexOf('## When it'))
  for (const name of [standaloneEnvironment, distributedEnvironment].flatMap((each) =>
    Object.keys(each.shape),
  )) {
    expect(section).toContain(`\`${name}\``)
  }
})

it('takes an empty variable for one that is not set', () => {
  expect(readEnvironment(standaloneEnvironment, { PORT: '', DATABASE_URL: '' })).toMatchObject({ PORT: 4000 })
})
