import type { Actor } from '@tutti/schema'
import { answerScim } from '../scim/answer-scim.ts'
import type { ScimAnswer, ScimCall } from '../scim/scim-call.ts'
import type { World } from './open-world.ts'

/** A request of a directory's, as the gateway passes it on: by whom, which, where below `/scim/v2/`, with this as JSON. */
export const askAsDirectory = (
  world: World,
  actor: Actor,
  method: ScimCall['method'],
  path: string,
  body: object | null = null,
): Promise<ScimAnswer> =>
  answerScim(world, {
    actor,
    method,
    path,
    query: {},
    ifMatch: null,
    ifNoneMatch: null,
    body: JSON.stringify(body),
    base: 'https://tutti.example.com/scim/v2',
  })
