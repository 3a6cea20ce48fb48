import { stringify, type Filter } from 'scim2-parse-filter'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Resource, USER_ATTRIBUTES } from './attributes.ts'
import { filterToSql, type Searchable } from './filter-to-sql.ts'
import { parseFilter, patchResource } from './patch-resource.ts'
import { ScimError } from './scim-error.ts'

const attempt = <Result>(act: () => Result): Result | null => {
  try {
    return act()
  } catch (error) {
    if (error instanceof ScimError) return null
    throw error
  }
}

const attribute = fc.constantFrom(
  'userName',
  'USERNAME',
  'name',
  'emails',
  'active',
  '__proto__',
  'constructor',
  'x',
  'id',
)
const part = fc.constantFrom('', '.value', '.TYPE', '.givenName', '.__proto__', '.')
const filter = fc.constantFrom(
  '',
  '[type eq "work"]',
  '[value pr]',
  '[not (type eq "x")]',
  '[',
  '[]',
  '[constructor pr]',
)
const path = fc.oneof(
  fc.tuple(attribute, filter, part).map((parts) => parts.join('')),
  fc.string({ maxLength: 40 }),
)
const operation = fc.record(
  { op: fc.constantFrom('add', 'Replace', 'REMOVE', 'x'), path, value: fc.jsonValue({ maxDepth: 2 }) },
  { requiredKeys: ['op'] },
)

test('whatever operations come, a resource keeps the attributes that there are, or they are refused', () => {
  const kept = new Set(USER_ATTRIBUTES.map(({ name }) => name))
  const before: Resource = {
    userName: 'ada',
    active: true,
    emails: [{ value: 'a@x', type: 'work', primary: true }],
  }
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 6 }), (Operations) => {
      const after = attempt(() => patchResource(USER_ATTRIBUTES, before, { Operations }))
      expect(before).toEqual({
        userName: 'ada',
        active: true,
        emails: [{ value: 'a@x', type: 'work', primary: true }],
      })
      expect(Object.keys(after ?? {}).filter((name) => !kept.has(name))).toEqual([])
      expect(Object.getPrototypeOf(after ?? before)).toBe(Object.prototype)
    }),
    { numRuns: 2_000 },
  )
})

test('to add a value and to remove it leaves what was, and to replace is to remove and add', () => {
  const values = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 8 })
  fc.assert(
    fc.property(values, values, (had, came) => {
      const emails = (list: string[]) => list.map((value) => ({ value }))
      const before = { emails: emails(had) }
      const patch = (...Operations: object[]) =>
        patchResource(USER_ATTRIBUTES, before, { Operations })['emails']
      const value = emails(came)
      const added = patch({ op: 'add', path: 'emails', value })
      expect(added).toEqual([...emails(had.filter((each) => !came.includes(each))), ...value])
      expect(patch({ op: 'add', path: 'emails', value }, { op: 'remove', path: 'emails', value })).toEqual(
        emails(had.filter((each) => !came.includes(each))),
      )
      expect(patch({ op: 'replace', path: 'emails', value })).toEqual(
        patch({ op: 'remove', path: 'emails' }, { op: 'add', path: 'emails', value }),
      )
    }),
    { numRuns: 300 },
  )
})

const SEARCHABLE: Readonly<Record<string, Searchable>> = {
  userName: { kind: 'text', sql: 'user_name', case: 'lower' },
  active: { kind: 'boolean', sql: 'active' },
  emails: { kind: 'values', sql: 'emails', parts: { value: { kind: 'text', sql: 'e.value', case: 'any' } } },
}
const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      op: fc.constantFrom('eq' as const, 'ne' as const, 'co' as const, 'sw' as const, 'gt' as const),
      attrPath: fc.constantFrom('userName', 'emails', 'emails.value', 'active', 'x'),
      compValue: fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.integer()),
    }),
    fc.record({ op: fc.constant('pr' as const), attrPath: fc.constantFrom('userName', 'emails') }),
    fc.record({
      op: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ op: fc.constant('not' as const), filter: tie('filter') }),
  ),
}))

test('a filter becomes a condition of our words alone, with its values as parameters, or is refused', () => {
  const OURS =
    /^(?:user_name|active|emails|e\.value|exists|select|from|where|and|or|not|coalesce|false|true|is|null|distinct|lower|position|in|starts_with|text|\$\d+|[\s(),=<>:'0])+$/
  fc.assert(
    fc.property(
      fc.oneof(
        anyFilter.map((tree) => stringify(tree)),
        fc.string({ maxLength: 80 }),
      ),
      (text) => {
        const parameters: unknown[] = ['organization']
        const sql = attempt(() => filterToSql(parseFilter(text), SEARCHABLE, parameters))
        if (sql === null) return
        expect(sql).toMatch(OURS)
        const numbers = [...sql.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n))
        expect(new Set(numbers).size).toBe(parameters.length - 1)
      },
    ),
    { numRuns: 2_000 },
  )
})
