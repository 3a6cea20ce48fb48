import { TuttiError } from '@tutti/schema'
import type { ScimAnswer } from './scim-call.ts'

const ERROR_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:Error'

/** What RFC 7644 (3.12) calls what is wrong with a request. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'uniqueness'

/** A refusal as SCIM says it. */
export class ScimError extends Error {
  readonly status: number
  readonly scimType: ScimType | undefined

  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail)
    this.name = 'ScimError'
    this.status = status
    this.scimType = scimType
  }
}

/** The answer to a refusal, ours or an operation's; anything else is thrown on. */
export function refusalOf(error: unknown): ScimAnswer {
  const refusal = error instanceof TuttiError ? translated(error) : error
  if (!(refusal instanceof ScimError)) throw error
  return {
    status: refusal.status,
    headers: {},
    body: {
      schemas: [ERROR_SCHEMA],
      status: String(refusal.status),
      ...(refusal.scimType === undefined ? {} : { scimType: refusal.scimType }),
      detail: refusal.message,
    },
  }
}

function translated(error: TuttiError): unknown {
  const detail = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
  switch (error.code) {
    case 'NOT_FOUND':
      return new ScimError(404, detail)
    case 'FORBIDDEN':
      return new ScimError(403, detail)
    case 'BAD_INPUT':
      return new ScimError(400, detail, 'invalidValue')
    case 'CONFLICT':
      return new ScimError(409, detail, 'uniqueness')
    case 'INVALID_STATE':
      return new ScimError(409, detail)
    default:
      return error
  }
}
