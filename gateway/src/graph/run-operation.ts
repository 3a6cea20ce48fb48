import type { Actor } from '@tutti/schema'

import { type Admission, isAdmitted } from '../authorization/admit.ts'
import { clientError } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { Subscriber } from '../subscriptions/shared-message.ts'
import type { SubscriptionHub } from '../subscriptions/subscription-hub.ts'
import type { Executor } from './execute-operation.ts'
import type { PreparedDocuments } from './prepare-operation.ts'

/** An operation as it came over a WebSocket or an event stream. */
export interface OperationRequest {
  query: string
  operationName?: string | null | undefined
  variables?: Record<string, unknown> | null | undefined
  /** Cursor to go on from, given beside the document. */
  resume?: string | null
  /** Ids of approvals for what it does. */
  approvals?: readonly string[]
  /** By GET only queries and subscriptions are run: a link must not change anything. */
  readOnly?: boolean
}

/**
 * Runs any operation for a subscriber, who always hears how it ends. The returned function ends it early;
 * nothing is heard after that.
 */
export type RunOperation = (
  request: OperationRequest,
  actor: Actor | null,
  subscriber: Subscriber,
) => () => void

export interface RunOperationParts {
  documents: PreparedDocuments
  admit: Admission
  executor: Executor
  hub: SubscriptionHub
  present: PresentError
}

/** Binds limits, admission, execution and hub into one way in, the same for WebSocket and server-sent events. */
export function createRunOperation(parts: RunOperationParts): RunOperation {
  const { documents, admit, executor, hub, present } = parts
  return (request, actor, subscriber) => {
    const ended = new AbortController()
    let leave: (() => void) | null = null

    const run = async (): Promise<void> => {
      const prepared = documents.prepare(request.query, request.operationName)
      if (!('kind' in prepared)) return subscriber.fail(prepared.map(present))
      if (request.readOnly === true && prepared.kind === 'mutation') {
        return subscriber.fail([present(clientError('BAD_INPUT', { message: 'Mutations need POST.' }))])
      }
      const admitted = await admit(prepared, actor)
      if (ended.signal.aborted) return
      if (!isAdmitted(admitted)) return subscriber.fail(admitted.map(present))
      const variables = request.variables ?? {}
      if (prepared.kind === 'subscription') {
        const joined = hub.join(admitted, { variables, resume: request.resume ?? null }, subscriber)
        if (typeof joined === 'function') leave = joined
        else subscriber.fail(joined.map(present))
        return
      }
      const { data, errors, extensions } = await executor.execute(admitted, {
        variables,
        approvals: request.approvals,
        signal: ended.signal,
      })
      if (ended.signal.aborted) return
      if (data === undefined && errors !== undefined) return subscriber.fail(errors.map(present))
      const payload = JSON.stringify({
        data,
        ...(errors === undefined ? {} : { errors: errors.map(present) }),
        extensions,
      })
      subscriber.next({ cursor: null, payload })
      subscriber.complete()
    }

    run().catch((error: unknown) => {
      if (!ended.signal.aborted) subscriber.fail([present(error)])
    })
    return () => {
      ended.abort()
      leave?.()
    }
  }
}
