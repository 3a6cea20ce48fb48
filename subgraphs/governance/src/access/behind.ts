import { type Actor, fail } from '@tutti/schema'

/** Who may be behind what an actor does: they themselves, and who made the key by which they do it. By id. */
export const behind = ({ id, credentialBy = [] }: Pick<Actor, 'id' | 'credentialBy'>): string[] => [
  ...new Set([id, ...credentialBy]),
]

/** Whether it is a person of their own: no integration, no agent, nobody who acts for one, and not the platform. */
export const isPerson = ({ kind, agentId }: Pick<Actor, 'kind' | 'agentId'>): boolean =>
  kind === 'person' && agentId === undefined

/** SEPARATION_OF_DUTIES unless a person does it. */
export function requirePerson(actor: Actor, path: string): void {
  if (!isPerson(actor)) fail('SEPARATION_OF_DUTIES', { path, hint: 'AGENT: a person decides.' })
}
