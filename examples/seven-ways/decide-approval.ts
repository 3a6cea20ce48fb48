import { z } from 'zod'

import { ask } from '../platform/ask.ts'
import type { Door } from '../platform/find-door.ts'
import type { RunSeen } from './run-messages.ts'
import { judgeMessage } from './servers/judge-message.ts'

type Asked = RunSeen['approvals'][number]

const DECIDE = `mutation Decide($input: DecideApprovalInput!) {
  decideApproval(input: $input) { approval { id } }
}`

const given = z.object({ customer_message: z.string() })

/** Answers in a person's place. */
export async function decideApproval(door: Door, approval: Asked): Promise<void> {
  const label = judgeMessage(given.parse(approval.arguments).customer_message)
  const comment = 'Decided by the example in your place; --by-hand leaves it to you.'
  await ask(door, DECIDE, {
    input: { id: approval.id, decision: 'APPROVE', finalArguments: { label }, comment },
  })
}

/** What a person does at GraphiQL instead. */
export function describeApproval(door: Door, approval: Asked): string {
  const message = given.parse(approval.arguments).customer_message
  const page = new URL('/', door.url).href
  return [
    `\n"${message}"`,
    `angry, negative, positive or neutral? Say so at ${page} with an approver's key:`,
    `  mutation { decideApproval(input: {id: "${approval.id}", decision: APPROVE, finalArguments: {label: "neutral"}}) { approval { status } } }`,
  ].join('\n')
}
