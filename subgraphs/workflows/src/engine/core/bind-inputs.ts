import type { InputBinding } from '../../definitions/index.ts'

/** The value of a name: an output if there is one, else the trigger's payload, else null. Inherited names are none. */
export function lookUp(
  name: string,
  state: Readonly<Record<string, unknown>>,
  input: Readonly<Record<string, unknown>>,
): unknown {
  if (Object.hasOwn(state, name)) return state[name] ?? null
  return Object.hasOwn(input, name) ? (input[name] ?? null) : null
}

/** What a step is given: each parameter's value, null where nothing produced it on this path. */
export function bindInputs(
  bindings: readonly InputBinding[],
  state: Readonly<Record<string, unknown>>,
  input: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    bindings.map(({ param, path: [name = '', ...fields] }) => {
      let value = lookUp(name, state, input)
      for (const field of fields)
        value = isObject(value) && Object.hasOwn(value, field) ? (value[field] ?? null) : null
      return [param, value]
    }),
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
