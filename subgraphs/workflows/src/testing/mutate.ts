import { type Actor, scopesOf } from '@tutti/schema'
import type { Engine } from './open-engine.ts'

/** The payload of a mutation that takes one `input` of its own type; throws what the API answers with. */
export async function mutate<T>(
  engine: Pick<Engine, 'ask'>,
  actor: Actor,
  { mutation, input, selection }: { mutation: string; input: object; selection: string },
): Promise<T> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`
  const data = await engine.ask<Record<string, T>>(
    actor,
    `mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} } }`,
    { input },
  )
  const answer = data[mutation]
  if (!answer) throw new Error(`${mutation} has no answer.`)
  return answer
}

/** The key of an agent of this name, in the organization of another actor. */
export const agentKey = (actor: Actor, name: string): Actor => ({
  ...actor,
  id: `key-of-${name}`,
  kind: 'agent',
  name,
  roles: ['agent'],
  scopes: scopesOf(['agent']),
})
