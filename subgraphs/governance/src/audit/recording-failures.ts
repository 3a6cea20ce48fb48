import { TuttiError } from '@tutti/schema'
import type { Context } from '../context.ts'
import { recordFailure } from './record-failure.ts'

type Resolve = (parent: unknown, args: unknown, context: Context, info: unknown) => unknown

/**
 * The same resolvers, whose mutations leave an entry when they fail, after their rollback. When the entry cannot be
 * written, that is what the call fails with. What an operation refuses on purpose is its own to record, as a denial.
 */
export function recordingFailures(
  resolvers: Readonly<Record<string, object>>,
): Readonly<Record<string, object>> {
  const mutations = Object.entries(resolvers['Mutation'] ?? {}).map(([name, resolve]: [string, unknown]) => {
    if (typeof resolve !== 'function') throw new Error(`Mutation.${name} is resolved by no function.`)
    return [name, recording(name, (...parameters) => Reflect.apply(resolve, undefined, parameters))]
  })
  return { ...resolvers, Mutation: Object.fromEntries(mutations) }
}

const recording =
  (name: string, resolve: Resolve): Resolve =>
  async (parent, args, context, info) => {
    try {
      return await resolve(parent, args, context, info)
    } catch (error) {
      if (error instanceof TuttiError) throw error
      await recordFailure(context, context.actor, { mutation: name, target: targetOf(args) })
      throw error
    }
  }

/** What the call was about: `input.id`, where there is one. */
function targetOf(args: unknown): string | null {
  const input: unknown = typeof args === 'object' && args !== null && 'input' in args ? args.input : null
  const id: unknown = typeof input === 'object' && input !== null && 'id' in input ? input.id : null
  return typeof id === 'string' ? id : null
}
