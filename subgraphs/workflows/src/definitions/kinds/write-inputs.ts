import type { Expression, InputBinding } from '../definition.ts'

/** The shortest way to say the inputs of a step: a name, a list of names, or a mapping; undefined for none. */
export function writeInputs(inputs: readonly InputBinding[]): unknown {
  if (inputs.length === 0) return undefined
  const names = inputs.map((binding) =>
    'path' in binding && binding.path.length === 1 ? binding.path[0] : undefined,
  )
  if (inputs.every(({ param }, index) => param === names[index])) return names.length === 1 ? names[0] : names
  return Object.fromEntries(
    inputs.map((binding) => [
      binding.param,
      'path' in binding ? binding.path.join('.') : writeValue(binding.value),
    ]),
  )
}

function writeValue(expression: Expression): unknown {
  if (expression === 'true' || expression === 'false') return expression === 'true'
  const number = Number(expression)
  const isPlain = Number.isFinite(number) && String(number) === expression
  return isPlain && (!Number.isInteger(number) || Number.isSafeInteger(number))
    ? number
    : writeExpression(expression)
}

/** An expression where a name or a text could stand too. */
export function writeExpression(expression: Expression): string {
  return `= ${expression}`
}
