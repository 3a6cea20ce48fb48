import { TuttiError } from '@tutti/schema'
import type { Context } from '../context.ts'
import { recordFailure } from './record-failure.ts'
import { isDenial, recordRefusal } from './record-refusal.ts'

type Resolve = (parent: unknown, args: unknown, context: Context, info: unknown) => unknown

/**
 * The same resolvers, whose mutations leave an entry when they fail, or refuse who asks, after their rollback. When the entry
 * cannot be written, that is what the call fails with. An operation that knows more of a refusal records it itself.
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
      if (isDenial(error, ['FORBIDDEN']))
        await recordRefusal(context, context.actor, error, {
          action: `Mutation.${name}`,
          reason: [error.message, error.hint].join(' ').trim(),
        })
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
