import type { GraphQLError } from 'graphql'

import type { GuardedField } from './collect-requirements.ts'

/** What depends only on the document and the authority: kept with the document. */
export interface Verdict {
  errors: readonly GraphQLError[]
  /** Fields whose scopes are held and whose policies have still to be asked. */
  undecided: readonly GuardedField[]
}
