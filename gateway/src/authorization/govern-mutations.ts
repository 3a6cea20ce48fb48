import type { Actor } from '@tutti/schema'
import type { GraphQLError, GraphQLSchema } from 'graphql'

import { clientError } from '../errors/client-error.ts'
import type { Executor } from '../graph/execute-operation.ts'
import { type GovernedCall, governedCalls, isGoverned } from './governed-calls.ts'

/** Why a mutation is not done. */
export interface MutationRefusal {
  /** Of the call. */
  key: string
  code: 'FORBIDDEN' | 'APPROVAL_REQUIRED' | 'BAD_INPUT'
  hint: string
  /** The question that people are asked; of APPROVAL_REQUIRED. */
  approvalId: string | null
}

/** Whether an actor may do all of these now, with the approvals they were given; none refused: yes. */
export type AuthorizeMutations = (
  actor: Actor,
  calls: { mutations: GovernedCall[]; approvals: readonly string[] },
) => Promise<readonly MutationRefusal[]>

/** Who is asked about mutations of the catalogue of actions. */
export interface Authority {
  authorize: AuthorizeMutations
  /** Under which secrets among arguments are made unreadable; the same in every process. */
  secret: string
}

export interface GovernorSettings {
  schema: GraphQLSchema
  authority: Authority | undefined
  /** Told when nobody could be asked. */
  onFailed(error: unknown): void
}

/** Asks authority before an operation's mutations are done: all may be, or none is. */
export interface Governor {
  /** The same execution, before which authority is asked. Of queries and of other mutations it is not. */
  around(execute: Executor['execute'], checkVariables: Executor['checkVariables']): Executor['execute']
}

/** FORBIDDEN, APPROVAL_REQUIRED with `approvalId`, or UNAVAILABLE when nobody could be asked. */
export function createGovernor({ schema, authority, onFailed }: GovernorSettings): Governor {
  const refusalsOf = async (
    { authorize, secret }: Authority,
    ...[{ operation, actor }, { variables = {}, approvals = [] }]: Parameters<Executor['execute']>
  ): Promise<GraphQLError[]> => {
    if (actor === null) return [clientError('UNAUTHENTICATED')]
    const mutations = governedCalls(schema, operation, variables, secret)
    if (mutations.length === 0) return []
    try {
      return (await authorize(actor, { mutations, approvals })).map(toError)
    } catch (error) {
      onFailed(error)
      return [clientError('UNAVAILABLE')]
    }
  }

  return {
    around(execute, checkVariables) {
      if (authority === undefined) return execute
      return async (admitted, options) => {
        const { operation } = admitted
        if (!isGoverned(operation)) return execute(admitted, options)
        const errors = checkVariables(operation, options.variables ?? {})
        if (errors.length > 0) return { errors }
        const refusals = await refusalsOf(authority, admitted, options)
        return refusals.length > 0 ? { errors: refusals } : execute(admitted, options)
      }
    },
  }
}

const toError = ({ key, code, hint, approvalId }: MutationRefusal): GraphQLError =>
  clientError(code, { path: [key], extensions: { hint, ...(approvalId === null ? {} : { approvalId }) } })
