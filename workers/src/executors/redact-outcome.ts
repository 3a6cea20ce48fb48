import { inspect } from 'node:util'
import type { TaskOutcome } from '@tutti/workflows/domain'
import type { Redactor } from '../credentials/redactor.ts'
import type { Voice } from './executor.ts'

/** What came of an attempt, without the secrets that it was given. */
export function redactOutcome(outcome: TaskOutcome, redactor: Redactor): TaskOutcome {
  switch (outcome.type) {
    case 'succeeded':
      return { ...outcome, output: redactor.json(outcome.output) }
    case 'failed': {
      const { code, message } = outcome.error
      return {
        ...outcome,
        error: { ...outcome.error, code: redactor.text(code), message: redactor.text(message) },
      }
    }
    default:
      return outcome
  }
}

/** What an attempt says while it works, without the secrets that it was given. */
export function redactVoice({ report, heartbeat, log }: Voice, redactor: Redactor): Voice {
  return {
    report: ({ message, data, ...progress }) =>
      report({
        ...progress,
        ...(message == null ? {} : { message: redactor.text(message) }),
        ...(data === undefined ? {} : { data: redactor.json(data) }),
      }),
    heartbeat,
    log: (level, message, data) =>
      data === undefined
        ? log(level, redactor.text(message))
        : log(level, redactor.text(message), redactor.json(data)),
  }
}

/** An error as it may be logged: itself when none of the secrets is in it, else its message without them. */
export function withoutSecrets(error: unknown, redactor: Redactor): unknown {
  const shown = inspect(error, { depth: 10, maxStringLength: null })
  if (redactor.text(shown) === shown) return error
  return new Error(redactor.text(error instanceof Error ? error.message : shown))
}
