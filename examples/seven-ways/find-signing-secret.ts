import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { InputMistake } from '../input/input-mistake.ts'

/**
 * The secret with which the platform signs its calls of one HTTP agent, derived from its own: TUTTI_SECRET, else what
 * `npm start` keeps in its home directory.
 */
export function findSigningSecret(agentId: string, environment: NodeJS.ProcessEnv = process.env): Uint8Array {
  const file = join(resolve(environment['TUTTI_DIRECTORY'] ?? '.tutti'), 'secret')
  const secret = environment['TUTTI_SECRET'] || (existsSync(file) ? readFileSync(file, 'utf8').trim() : '')
  if (secret === '')
    throw new InputMistake(
      `The HTTP agent cannot check signatures: set TUTTI_SECRET to the platform's. (npm start keeps it in ${file}, which is not there.)`,
    )
  return createHmac('sha256', secret).update(`agent-signature:${agentId}`).digest()
}
