import { suggestName } from '@tutti/runtime'
import type { JsonSchema, NodeId } from './definition.ts'
import type { DraftBody, DraftStep, Made, Reading } from './draft-step.ts'
import { follow } from './link-steps.ts'
import type { LinkedBody } from './link-steps.ts'
import type { Place, ProblemList } from './problem.ts'
import { shorten } from './tree.ts'

/** What a trigger carries: the names an author declared, or nothing, and then they are inferred. */
export type Payload = {
  readonly declared: readonly string[] | undefined
  readonly trigger: string | undefined
  /** What else reads it (the key of a limit). */
  readonly readings: readonly Reading[]
  /** What its names, and those of the state, are declared to look like. */
  readonly schemas: {
    readonly input?: Readonly<Record<string, JsonSchema>> | undefined
    readonly state?: Readonly<Record<string, JsonSchema>> | undefined
  }
}

/** Something read, with what is known about the names in it: the schema of each that can only look one way. */
export type ResolvedReading = { readonly reading: Reading; readonly schemas: ReadonlyMap<string, JsonSchema> }

type MadeNames = ReadonlyMap<string, readonly Made[]>
type Bodies = readonly { readonly step: DraftStep; readonly body: DraftBody }[]
type Maker = { readonly id: NodeId; readonly bodies: Bodies }

/**
 * Notes every name that nothing can have produced when it is read, and returns the payload names in use. A name that
 * is produced on some path only is fine: on the others it is null.
 *
 * Without declared `inputs`, the payload is what the first step reads (nothing else could supply it) and what the
 * trigger's name ends in: `incoming_customer_message` carries `customer_message`. All else must come from a step, so
 * that a misspelt name is an error and not a silent null.
 */
export function checkNames(
  top: LinkedBody,
  entry: NodeId,
  payload: Payload,
  problems: ProblemList,
): { readonly inputs: string[]; readonly resolved: readonly ResolvedReading[] } {
  const check = new NameCheck(top, entry, payload, problems)
  check.body(top, new Map(), [])
  for (const reading of payload.readings) check.read(reading, () => [], undefined, [])
  return { inputs: [...check.used], resolved: check.resolved }
}

class NameCheck {
  readonly used: Set<string>
  readonly resolved: ResolvedReading[] = []
  readonly #payload: ReadonlySet<string>
  readonly #makers = new Map<string, Maker[]>()
  readonly #steps = new Map<NodeId, DraftStep>()
  readonly #schemas: Payload['schemas']
  readonly #problems: ProblemList

  constructor(top: LinkedBody, entry: NodeId, payload: Payload, problems: ProblemList) {
    this.#problems = problems
    this.#schemas = payload.schemas
    this.#collect(top, [])
    this.#payload = payloadNames(top.steps.get(entry), payload, this.#makers)
    this.used = new Set(payload.declared)
  }

  /** Checks the steps of a body; `outside` are the names that were there before it began. */
  body(body: LinkedBody, outside: MadeNames, bodies: Bodies): void {
    const before = new Map<NodeId, NodeId[]>()
    for (const { edge } of body.edges) {
      const list = before.get(edge.to)
      if (list) list.push(edge.from)
      else before.set(edge.to, [edge.from])
    }
    const makers = new Map<string, { id: NodeId; made: Made }[]>()
    for (const [id, step] of body.steps)
      for (const [name, list] of namesAfter(step)) {
        const known = makers.get(name) ?? []
        makers.set(name, known)
        for (const made of list) known.push({ id, made })
      }
    for (const [id, step] of body.steps) {
      const earlier = follow(id, before)
      const makersOf = (name: string, own: boolean): Made[] => {
        const found = [...(outside.get(name) ?? [])]
        for (const { id: maker, made } of makers.get(name) ?? []) {
          // Whether there is none, one or more is all that matters.
          if (found.length > 1) break
          if (maker === id ? own : earlier.has(maker)) found.push(made)
        }
        return found
      }
      for (const reading of step.readings)
        this.read(reading, (name) => makersOf(name, reading.sees === 'after'), step, bodies)
      const inner = body.inner.filter(({ inside }) => inside?.step === step)
      if (inner.length === 0) continue
      const there = [...earlier].flatMap((other) => {
        const made = other === id ? undefined : body.steps.get(other)
        return made ? [namesAfter(made)] : []
      })
      this.#inner(inner, merged([outside, ...there]), bodies)
    }
  }

  /** Checks one reading; `makersOf` gives what has a name by then. */
  read(
    reading: Reading,
    makersOf: (name: string) => readonly Made[],
    step: DraftStep | undefined,
    bodies: Bodies,
  ): void {
    const schemas = new Map<string, JsonSchema>()
    for (const name of reading.names) {
      const makers = makersOf(name)
      const isPayload = this.#payload.has(name)
      if (makers.length === 0) {
        if (isPayload) this.used.add(name)
        else this.#note(name, reading.place, step, bodies)
      }
      const schema = this.#schemaOf(name, makers, isPayload)
      if (schema !== undefined) schemas.set(name, schema)
    }
    this.resolved.push({ reading, schemas })
  }

  /** What a name looks like, where it can come from one place alone. */
  #schemaOf(name: string, makers: readonly Made[], isPayload: boolean): JsonSchema | undefined {
    const { input, state } = this.#schemas
    if (isPayload) return makers.length === 0 && input ? ownValue(input, name) : undefined
    const declared = state && ownValue(state, name)
    const [made, other] = makers
    return declared ?? (made && !other ? made.schema : undefined)
  }

  #inner(inner: readonly LinkedBody[], outside: MadeNames, bodies: Bodies): void {
    for (const linked of inner) {
      const { inside } = linked
      if (!inside) continue
      const { body } = inside
      const own = namesIn(body)
      const locals = new Map(body.locals.map((made) => [made.name, [made]]))
      // A turn sees what the turn before it made.
      const within = merged([without(outside, locals), locals, ...(body.names === 'shared' ? [own] : [])])
      const here = [...bodies, inside]
      this.body(linked, within, here)
      const through = body.names === 'shared' ? within : merged([within, own])
      for (const reading of body.closing)
        this.read(reading, (name) => through.get(name) ?? [], inside.step, here)
    }
  }

  #collect(body: LinkedBody, bodies: Bodies): void {
    for (const [id, step] of body.steps) {
      this.#steps.set(id, step)
      for (const { name } of step.makes)
        this.#makers.set(name, [...(this.#makers.get(name) ?? []), { id, bodies }])
    }
    for (const inner of body.inner) if (inner.inside) this.#collect(inner, [...bodies, inner.inside])
  }

  #note(name: string, place: Place, step: DraftStep | undefined, bodies: Bodies): void {
    if (this.#problems.full) return
    const id = step?.node.id
    const makers = this.#makers.get(name)
    if (makers) {
      const { why, hint } = whyNotYet(makers, bodies, id)
      this.#problems.add('input_not_yet_produced', place, `"${shorten(name)}" is produced by ${why}.`, hint)
      return
    }
    const namesake = this.#steps.get(name)?.node
    const output = namesake && 'output' in namesake ? namesake.output : undefined
    const similar = output ?? suggestName(name, [...this.#makers.keys(), ...this.#payload])
    const declare = `declare it as payload of the trigger: inputs: [${shorten(name)}]`
    this.#problems.add(
      'unknown_input',
      place,
      `Nothing produces "${shorten(name)}", which ${id === undefined ? 'is read here' : `"${id}" reads`}.`,
      similar
        ? `Did you mean "${similar}"? Otherwise ${declare}.`
        : `Let an earlier step have it as output, or ${declare}.`,
    )
  }
}

function ownValue<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function whyNotYet(
  makers: readonly Maker[],
  bodies: Bodies,
  reader: NodeId | undefined,
): { why: string; hint: string } {
  for (const { id, bodies: around } of makers) {
    const apart = around.find(({ body }) => !bodies.some((own) => own.body === body))
    if (!apart) continue
    if (apart.body.names === 'own')
      return {
        why: `"${id}" for each item of "${apart.step.node.id}", and seen by that item alone`,
        hint: 'Give the map an output, and say with collect what an item results in.',
      }
    if (bodies.some((own) => own.step === apart.step))
      return {
        why: `"${id}" in the branch "${apart.body.name}", beside this one`,
        hint: 'Read it after the branches have joined.',
      }
  }
  const names = makers.map(({ id }) => id).join('", "')
  return {
    why: `"${names}", which cannot run before ${reader === undefined ? 'the run' : `"${reader}"`}`,
    hint: 'Move the step that produces it forward.',
  }
}

const madeBy = new WeakMap<DraftStep, MadeNames>()

/** The names that are there once a step is done: its own, and those its branches and turns leave behind. */
export function namesAfter(step: DraftStep): MadeNames {
  const known = madeBy.get(step)
  if (known) return known
  const names = merged([
    Map.groupBy(step.makes, ({ name }) => name),
    ...step.bodies.filter(({ names: seen }) => seen !== 'own').map(namesIn),
  ])
  madeBy.set(step, names)
  return names
}

/** The names that the steps of a body leave behind. */
export function namesIn(body: DraftBody): MadeNames {
  return merged(body.groups.flat().map(namesAfter))
}

function merged(tables: readonly MadeNames[]): MadeNames {
  const all = new Map<string, readonly Made[]>()
  for (const table of tables)
    for (const [name, made] of table) all.set(name, [...(all.get(name) ?? []), ...made])
  return all
}

function without(names: MadeNames, hidden: ReadonlyMap<string, unknown>): MadeNames {
  return new Map([...names].filter(([name]) => !hidden.has(name)))
}

function payloadNames(
  first: DraftStep | undefined,
  { declared, trigger, readings }: Payload,
  makers: ReadonlyMap<string, unknown>,
): Set<string> {
  if (declared) return new Set(declared)
  const names = new Set<string>()
  const words = trigger?.split('_') ?? []
  for (let from = 0; from < words.length; from += 1) names.add(words.slice(from).join('_'))
  const firstReadings = [...readings, ...(first ? readFirst(first, new Set()) : [])]
  for (const { names: read } of firstReadings) for (const name of read) if (!makers.has(name)) names.add(name)
  return names
}

/** What is read before anything can have been made: by the step, and by those that its bodies begin with. */
function readFirst(step: DraftStep, hidden: ReadonlySet<string>): Reading[] {
  const own = step.readings.map((reading) => ({
    ...reading,
    names: reading.names.filter((name) => !hidden.has(name)),
  }))
  const inner = step.bodies.flatMap(({ groups, locals }) => {
    const first = groups[0]?.[0]
    return first ? readFirst(first, new Set([...hidden, ...locals.map(({ name }) => name)])) : []
  })
  return [...own, ...inner]
}
