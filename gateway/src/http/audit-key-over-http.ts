import { z } from 'zod'

import { askInside } from '../hooks/receive-hook-over-http.ts'
import type { ReadAuditKey } from './audit-key-route.ts'

/** Where governance says the key of the record: a signed call, for us alone. */
const AUDIT_KEY_PATH = '/internal/audit-key'

const answerSchema = z.object({ answer: z.string().nullable() })

/** Asks the governance process at `url`. Throws when it does not answer. */
export function auditKeyOverHttp(url: string, secret: string): ReadAuditKey {
  const ask = askInside(new URL(AUDIT_KEY_PATH, url), secret)
  return async () => answerSchema.parse(await ask({})).answer
}
