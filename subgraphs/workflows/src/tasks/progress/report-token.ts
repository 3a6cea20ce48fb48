import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { ClaimedTask } from '../../engine/worker/claimed-task.ts'

const claim = z.tuple([
  z.uuid(),
  z.uuid(),
  z.string().regex(/^\d{1,19}$/),
  z.boolean(),
  z.uuid(),
  z.int().min(1),
])

/** Which attempt at which task a token is of; with the strand's fence, which proves that it is the present one. */
export interface ReportClaim {
  organizationId: string
  strandId: string
  fence: bigint
  begins: boolean
  taskId: string
  attempt: number
}

const macOf = (secret: string, text: string): Buffer => {
  const key = createHmac('sha256', secret).update('task-report').digest()
  return createHmac('sha256', key).update(text).digest()
}

/** What an agent outside proves itself with when it reports on the attempt it was called for: an opaque text. */
export function issueReportToken(
  secret: string,
  task: Pick<ClaimedTask, 'organizationId' | 'strandId' | 'fence' | 'begins' | 'id' | 'attempt'>,
): string {
  const { organizationId, strandId, fence, begins = false, id, attempt } = task
  const said = JSON.stringify([organizationId, strandId, String(fence), begins, id, attempt])
  const text = Buffer.from(said).toString('base64url')
  return `${text}.${macOf(secret, text).toString('base64url')}`
}

/** What a token says; undefined when we have not issued it. */
export function readReportToken(secret: string, token: string): ReportClaim | undefined {
  const [text = '', mac = '', ...more] = token.split('.')
  const given = Buffer.from(mac, 'base64url')
  const right = macOf(secret, text)
  if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined
  const said = claim.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  if (!said.success) return undefined
  const [organizationId, strandId, fence, begins, taskId, attempt] = said.data
  return { organizationId, strandId, fence: BigInt(fence), begins, taskId, attempt }
}
