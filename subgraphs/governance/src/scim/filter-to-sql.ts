import type { Filter } from 'scim2-parse-filter'
import { isCalled } from './attributes.ts'
import { ScimError } from './scim-error.ts'

/** What can be asked about: an expression of SQL, or a list of values with parts. */
export type Searchable =
  /** `exact`: case matters; `lower`: it is in small letters already. */
  | { kind: 'text'; sql: string; case: 'exact' | 'lower' | 'any' }
  | { kind: 'boolean'; sql: string }
  | { kind: 'moment'; sql: string }
  /** `sql`: what follows `from`; without a part it is about `value`. */
  | { kind: 'values'; sql: string; parts: Readonly<Record<string, Searchable>> }

const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/i
const COMPARE: Readonly<Record<string, string>> = { gt: '>', ge: '>=', lt: '<', le: '<=' }
const DEEPEST = 50

/**
 * A filter as a condition of SQL; its values are pushed to `parameters`, whose numbers go on. ScimError invalidFilter for
 * what nobody can ask about.
 */
export function filterToSql(
  filter: Filter,
  searchables: Readonly<Record<string, Searchable>>,
  parameters: unknown[],
): string {
  const parameter = (value: unknown): string => `$${parameters.push(value)}`

  const condition = (node: Filter, within: Readonly<Record<string, Searchable>>, depth: number): string => {
    if (depth > DEEPEST) throw new ScimError(400, 'The filter is nested too deeply.', 'invalidFilter')
    if ('filters' in node)
      return `(${node.filters.map((each) => condition(each, within, depth + 1)).join(` ${node.op} `)})`
    // What is not there is not equal to anything, also where that is denied.
    if ('filter' in node) return `not coalesce(${condition(node.filter, within, depth + 1)}, false)`
    if ('valFilter' in node) {
      const { found } = find(within, node.attrPath)
      if (found.kind !== 'values') throw unknown(node.attrPath)
      return `exists (select from ${found.sql} where ${condition(node.valFilter, found.parts, depth + 1)})`
    }
    const { found, part } = find(within, node.attrPath)
    const value = 'compValue' in node ? node.compValue : undefined
    if (found.kind !== 'values') return comparison(found, node.op, value)
    const of = find(found.parts, part ?? 'value').found
    if (of.kind === 'values') throw unknown(node.attrPath)
    return `exists (select from ${found.sql} where ${comparison(of, node.op, value)})`
  }

  const comparison = (of: Exclude<Searchable, { kind: 'values' }>, op: string, value: unknown): string => {
    const { sql } = of
    if (op === 'pr') return of.kind === 'text' ? `coalesce(${sql}, '') <> ''` : `${sql} is not null`
    if (value === null) {
      if (op === 'eq') return `${sql} is null`
      if (op === 'ne') return `${sql} is not null`
    }
    if (of.kind === 'boolean') {
      const wanted = /^(true|false)$/i.exec(String(value))
      if (wanted === null || (op !== 'eq' && op !== 'ne')) throw incomparable(op, value)
      return `${sql} is ${op === 'ne' ? 'not ' : ''}${wanted[0].toLowerCase()}`
    }
    if (typeof value !== 'string' || value.includes('\0')) throw incomparable(op, value)
    if (of.kind === 'moment') {
      const moment = new Date(value)
      const compare = op === 'eq' ? '=' : op === 'ne' ? '<>' : COMPARE[op]
      if (Number.isNaN(moment.getTime()) || compare === undefined) throw incomparable(op, value)
      return `date_trunc('milliseconds', ${sql}) ${compare} ${parameter(moment.toISOString())}::timestamptz`
    }
    const left = of.case === 'any' ? `lower(${sql})` : sql
    const right = `${parameter((of.case === 'exact' ? value : value.toLowerCase()).toWellFormed())}::text`
    switch (op) {
      case 'eq':
        return `${left} = ${right}`
      case 'ne':
        return `${left} is distinct from ${right}`
      case 'co':
        return `position(${right} in ${left}) > 0`
      case 'sw':
        return `starts_with(${left}, ${right})`
      case 'ew':
        return `right(${left}, length(${right})) = ${right}`
      default:
        return `${left} ${COMPARE[op] ?? refuse(incomparable(op, value))} ${right}`
    }
  }

  return condition(filter, searchables, 0)
}

/** What a path is about; a part of a list's values is left over. */
function find(
  searchables: Readonly<Record<string, Searchable>>,
  path: string,
): { found: Searchable; part: string | undefined } {
  const wanted = path.replace(CORE, '')
  const names = Object.keys(searchables)
  const whole = names.find((name) => isCalled(name, wanted))
  const [list = '', part] = wanted.split('.')
  const name = whole ?? names.find((each) => isCalled(each, list))
  const found = name === undefined ? undefined : searchables[name]
  if (found === undefined || (whole === undefined && found.kind !== 'values')) throw unknown(path)
  return { found, part: whole === undefined ? part : undefined }
}

const unknown = (path: string): ScimError =>
  new ScimError(400, `Nothing is found by ${path.slice(0, 100)}.`, 'invalidFilter')

const incomparable = (op: string, value: unknown): ScimError =>
  new ScimError(400, `Nothing is ${op} ${JSON.stringify(value)?.slice(0, 100)} there.`, 'invalidFilter')

function refuse(error: Error): never {
  throw error
}
