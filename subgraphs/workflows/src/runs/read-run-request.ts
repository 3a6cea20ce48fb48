import { fail, isRecord, MOST_VALUE_BYTES } from '@tutti/schema'
import type { RunRequest } from './start-runs.ts'

const MAX_KEY = 200

interface Given {
  workflowId?: string | null | undefined
  workflowName?: string | null | undefined
  input: unknown
  idempotencyKey?: string | null | undefined
}

/** Checks what a client gave for a run; BAD_INPUT with the argument's path, all mistakes at once. */
export function readRunRequest(given: Given, path: string): RunRequest {
  const problems: { code: string; message: string; path: string }[] = []
  const complain = (at: string, message: string): void =>
    void problems.push({ code: 'BAD_INPUT', message, path: `${path}.${at}` })
  if (!given.workflowId === !given.workflowName)
    complain('workflowId', 'Give either workflowId or workflowName.')
  const input = isRecord(given.input) ? given.input : undefined
  if (!input) complain('input', 'The input is an object: values by input name.')
  const text = JSON.stringify(given.input) ?? ''
  if (Buffer.byteLength(text) > MOST_VALUE_BYTES) complain('input', 'The input is larger than 2 MiB.')
  if (text.includes('\\u0000'))
    complain('input', 'The input holds a NUL character, which PostgreSQL cannot store.')
  if (given.idempotencyKey === '' || (given.idempotencyKey?.length ?? 0) > MAX_KEY) {
    complain('idempotencyKey', `A key has 1 to ${MAX_KEY} characters.`)
  }
  for (const at of ['workflowName', 'idempotencyKey'] as const) {
    if (given[at]?.includes('\0')) complain(at, 'Holds a NUL character, which cannot be stored.')
  }
  const [first] = problems
  if (first) fail('BAD_INPUT', { path: first.path, message: first.message, problems })
  return {
    workflowId: given.workflowId ?? null,
    workflowName: given.workflowName ?? null,
    input: input ?? {},
    idempotencyKey: given.idempotencyKey ?? null,
  }
}
