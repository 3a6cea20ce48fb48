import { createHash } from 'node:crypto'

/**
 * The key an outside system sees for a piece of work, 64 hexadecimal digits: the same for every automatic retry, a new
 * one for a manual retry or a fork, which raise `generation`.
 */
export function idempotencyKey(
  organizationId: string,
  runId: string,
  path: string,
  generation: number,
): string {
  // JSON keeps the parts apart: no two different tuples make one text.
  return createHash('sha256')
    .update(JSON.stringify([organizationId, runId, path, generation]))
    .digest('hex')
}
