import { type Filter, filter as testerOf, parse } from 'scim2-parse-filter'
import { z } from 'zod'
import {
  type Attribute,
  isCalled,
  isRecord,
  keptParts,
  keptValue,
  partOf,
  type Resource,
} from './attributes.ts'
import { ScimError } from './scim-error.ts'

const MOST_OPERATIONS = 1_000
const MOST_FILTER = 2_000
const READ_ONLY = ['id', 'meta', 'schemas', 'groups']
/** `urn:…:User:emails[type eq "work"].value`: schema, attribute, filter, part. */
const PATH = /^(?:(urn:[^[\]]*):)?([a-z$][\w$-]*)(?:\[(.*)\])?(?:\.([\w$-]+))?$/is
const CORE = /^urn:ietf:params:scim:schemas:core:2\.0:(user|group)$/i

const patchSchema = z.object({
  operations: z
    .array(z.unknown())
    .min(1, 'At least one operation.')
    .max(MOST_OPERATIONS, `At most ${MOST_OPERATIONS} operations.`),
})
const operationSchema = z.object({
  op: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['add', 'replace', 'remove'])),
  path: z.string().nullish(),
  value: z.unknown().optional(),
})
type Operation = z.infer<typeof operationSchema>

/**
 * A resource after the operations of RFC 7644 (3.5.2), as directories really send them: in whatever case, without a path,
 * with the path in a key, by a filter that nothing fits yet. Attributes that are not kept change nothing. ScimError
 * invalidSyntax, invalidPath, noTarget, mutability.
 */
export function patchResource(attributes: readonly Attribute[], before: Resource, body: unknown): Resource {
  const parsed = patchSchema.safeParse(lowerKeys(body))
  if (!parsed.success) throw new ScimError(400, 'A PATCH has Operations.', 'invalidSyntax')
  const resource = structuredClone(before)
  for (const each of parsed.data.operations) {
    const operation = operationSchema.safeParse(lowerKeys(each))
    if (!operation.success)
      throw new ScimError(
        400,
        'An operation is add, replace or remove, with a path or a value.',
        'invalidSyntax',
      )
    apply(attributes, resource, operation.data)
  }
  return resource
}

const lowerKeys = (value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toLowerCase(), each]))
    : value

function apply(attributes: readonly Attribute[], resource: Resource, { op, path, value }: Operation): void {
  if (path == null || path === '') {
    if (op === 'remove') throw new ScimError(400, 'A remove needs a path.', 'noTarget')
    if (!isRecord(value)) throw new ScimError(400, 'Without a path the value is an object.', 'invalidValue')
    for (const [key, each] of Object.entries(value)) {
      if (isExtension(key) || READ_ONLY.some((name) => isCalled(name, key))) continue
      apply(attributes, resource, { op, path: key, value: each })
    }
    return
  }
  const [, urn, name = '', filter, part] =
    PATH.exec(path) ?? refuse(new ScimError(400, `That is no path: ${path.slice(0, 200)}.`, 'invalidPath'))
  if (urn !== undefined && !CORE.test(urn)) return
  if (READ_ONLY.some((each) => isCalled(each, name)))
    throw new ScimError(400, `${name} is not for a client to change.`, 'mutability')
  const attribute = attributes.find((each) => isCalled(each.name, name))
  if (attribute === undefined) return
  if (attribute.kind === 'multi') changeValues(attribute, resource, { op, value, filter, part })
  else if (attribute.kind === 'complex' && part !== undefined)
    changePart(attribute, resource, { op, value, part })
  else if (op === 'remove') delete resource[attribute.name]
  else if (attribute.kind === 'complex') merge(attribute, resource, value)
  else resource[attribute.name] = value
}

/** Another schema's attributes, as an object under its name. */
const isExtension = (key: string): boolean => /^urn:.*:(user|group)$/i.test(key)

interface Change {
  op: Operation['op']
  value: unknown
}

function merge(attribute: Attribute, resource: Resource, value: unknown): void {
  const before = resource[attribute.name]
  const after = keptParts(attribute, value)
  resource[attribute.name] = isRecord(before) && isRecord(after) ? { ...before, ...after } : after
}

function changePart(
  attribute: Attribute,
  resource: Resource,
  { op, value, part }: Change & { part: string },
): void {
  const name = partOf(attribute, part)
  if (name === undefined) return
  const before = resource[attribute.name]
  const parts = isRecord(before) ? before : {}
  if (op === 'remove') delete parts[name]
  else parts[name] = value
  resource[attribute.name] = parts
}

function changeValues(
  attribute: Attribute,
  resource: Resource,
  { op, value, filter, part }: Change & { filter: string | undefined; part: string | undefined },
): void {
  const before = valuesOf(resource[attribute.name])
  if (filter === undefined && part === undefined) {
    const given = op === 'remove' && value == null ? [] : valuesOf(keptValue(attribute, value))
    resource[attribute.name] =
      op === 'replace' ? given : op === 'add' ? joined(before, given) : without(before, given, value)
    return
  }
  const condition = filter === undefined ? null : parseFilter(filter)
  const fits = condition === null ? () => true : testerOf(condition)
  const name = part === undefined ? null : partOf(attribute, part)
  if (name === undefined) return
  if (op === 'remove') {
    resource[attribute.name] =
      name === null
        ? before.filter((each) => !fits(each))
        : before.map((each) => (fits(each) ? omit(each, name) : each))
    return
  }
  const added = name === null ? keptParts(attribute, value) : { [name]: value }
  const changed = isRecord(added) ? added : {}
  if (!before.some((each) => fits(each))) before.push(seedOf(attribute, condition))
  resource[attribute.name] = before.map((each) =>
    fits(each) ? { ...each, ...changed } : onlyPrimary(each, changed),
  )
}

const valuesOf = (value: unknown): Resource[] => (Array.isArray(value) ? value.filter(isRecord) : [])

const joined = (before: Resource[], added: Resource[]): Resource[] => {
  const known = new Set(added.map(({ value }) => value))
  const primary = added.find((each) => each['primary'] === true)
  return [
    ...before.filter(({ value }) => !known.has(value)).map((each) => onlyPrimary(each, primary ?? {})),
    ...added,
  ]
}

/** All of them, unless it says which. */
const without = (before: Resource[], given: Resource[], value: unknown): Resource[] => {
  if (value == null) return []
  const gone = new Set(given.map((each) => each['value']))
  return before.filter((each) => !gone.has(each['value']))
}

const omit = (each: Resource, name: string): Resource =>
  Object.fromEntries(Object.entries(each).filter(([key]) => key !== name))

/** One value is the primary one: another that becomes it takes that from it. */
const onlyPrimary = (each: Resource, changed: Resource): Resource =>
  changed['primary'] === true && each['primary'] === true ? { ...each, primary: false } : each

/** What a filter that nothing fits yet says of the value to come: `type eq "work"`. */
function seedOf(attribute: Attribute, condition: Filter | null): Resource {
  if (condition === null) return {}
  const name = condition.op === 'eq' ? partOf(attribute, condition.attrPath) : undefined
  if (condition.op !== 'eq' || name === undefined)
    throw new ScimError(400, 'Nothing fits the filter of the path.', 'noTarget')
  return { [name]: condition.compValue }
}

/** A filter's tree. ScimError invalidFilter. */
export function parseFilter(text: string): Filter {
  if (text.length > MOST_FILTER)
    throw new ScimError(400, `A filter has at most ${MOST_FILTER} characters.`, 'invalidFilter')
  try {
    return parse(text)
  } catch {
    throw new ScimError(400, `That is no filter: ${text.slice(0, 200)}.`, 'invalidFilter')
  }
}

function refuse(error: Error): never {
  throw error
}
