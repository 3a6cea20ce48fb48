/** What is kept of an attribute: of its value, of its parts, or of each of its values. */
export interface Attribute {
  name: string
  kind: 'plain' | 'complex' | 'multi'
  /** Names of its parts, of the latter two. */
  parts: readonly string[]
}

const plain = (name: string): Attribute => ({ name, kind: 'plain', parts: [] })

/** Attributes of SCIM that are kept; what else comes is let go. */
export const USER_ATTRIBUTES: readonly Attribute[] = [
  ...['userName', 'externalId', 'displayName', 'title', 'active'].map(plain),
  { name: 'name', kind: 'complex', parts: ['formatted', 'familyName', 'givenName'] },
  { name: 'emails', kind: 'multi', parts: ['value', 'type', 'primary'] },
]
export const GROUP_ATTRIBUTES: readonly Attribute[] = [
  ...['displayName', 'externalId'].map(plain),
  { name: 'members', kind: 'multi', parts: ['value'] },
]

/** A resource's attributes by their names as they are kept; anything may be behind them. */
export type Resource = Record<string, unknown>

/** Whether it is an object and no array. */
export const isRecord = (value: unknown): value is Resource =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names of SCIM are the same in whatever case. */
export const isCalled = (name: string, other: string): boolean => name.toLowerCase() === other.toLowerCase()

/** The part of a value by its kept name. */
export const partOf = ({ parts }: Attribute, name: string): string | undefined =>
  parts.find((part) => isCalled(part, name))

/** Of a value the parts that are kept, by their kept names; a text is its `value`, as some directories send it. */
export function keptParts(attribute: Attribute, value: unknown): unknown {
  if (typeof value === 'string' && attribute.kind === 'multi') return { value }
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => {
      const part = partOf(attribute, name)
      return part === undefined ? [] : [[part, each]]
    }),
  )
}

/** A value as it is kept. */
export function keptValue(attribute: Attribute, value: unknown): unknown {
  if (attribute.kind === 'plain') return value
  if (attribute.kind === 'complex') return keptParts(attribute, value)
  return (Array.isArray(value) ? value : [value]).map((each: unknown) => keptParts(attribute, each))
}

/** Of a resource what is kept, by the kept names. */
export function keptResource(attributes: readonly Attribute[], given: Resource): Resource {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => {
      const attribute = attributes.find((each) => isCalled(each.name, name))
      return attribute === undefined || value === null ? [] : [[attribute.name, keptValue(attribute, value)]]
    }),
  )
}
