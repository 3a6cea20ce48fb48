import { TuttiError } from '@tutti/schema'
import { z } from 'zod'
import { decideApproval } from '../approvals/decide-approval.ts'
import type { DomainServices } from '../context.ts'
import { acknowledgeEscalation } from '../escalations/acknowledge-escalation.ts'
import { askingPage, gonePage, type Page, thanksPage, unclearPage } from './decision-page.ts'
import { findLink, type OpenLink } from './find-link.ts'
import { recordDeadLink } from './record-dead-link.ts'

/** A visit of a link as the gateway's process sends it. */
export const decisionCallSchema = z.object({
  method: z.enum(['GET', 'POST']),
  token: z.string(),
  /** A form, URL-encoded; null when it is no UTF-8. */
  body: z.string().nullable(),
})
type DecisionCall = z.infer<typeof decisionCallSchema>

const VERDICTS = ['APPROVE', 'REJECT', 'REQUEST_CHANGES', 'ACKNOWLEDGE'] as const

/**
 * Shows what a link is for, and does by it, once, what its person decides: as that person's own `decideApproval` or
 * `acknowledgeEscalation`. To look changes nothing. Output: a page: 200, 400 for a form that says nothing, and alike 404 for whatever
 * opens nothing: unknown, used, over, settled, or its person may not any more. Audit: that of the operation, with the link's id; a denial, when it is not settled meanwhile.
 */
export async function receiveDecision(services: DomainServices, call: DecisionCall): Promise<Page> {
  const found = await findLink(services, call.token)
  if (!found) return gonePage()
  if (call.method === 'GET') return askingPage(found)
  const form = new URLSearchParams(call.body ?? '')
  const comment = (form.get('comment') ?? '').replaceAll('\r\n', '\n')
  const verdict = VERDICTS.find((each) => each === form.get('decision'))
  if (verdict === undefined || (verdict === 'ACKNOWLEDGE') !== (found.link.kind === 'escalation'))
    return unclearPage(found, 'Say what you decide.', comment)
  if (verdict === 'REQUEST_CHANGES' && comment.trim() === '')
    return unclearPage(found, 'Say in the comment what is to be changed.', comment)
  try {
    await decide(services, found, verdict, comment)
    return thanksPage(verdict)
  } catch (error) {
    if (!(error instanceof TuttiError)) throw error
    if (error.code === 'BAD_INPUT')
      return unclearPage(found, 'The comment is too long, or cannot be stored.', comment)
    if (error.code === 'NOT_FOUND')
      await recordDeadLink(
        services,
        { subject: found.link.subject, person: found.person },
        'it was used meanwhile.',
      )
    return gonePage()
  }
}

async function decide(
  services: DomainServices,
  { link, person }: OpenLink,
  decision: (typeof VERDICTS)[number],
  comment: string,
): Promise<void> {
  if (decision === 'ACKNOWLEDGE') {
    await acknowledgeEscalation(services, person, { id: link.id }, link)
    return
  }
  const { id, digest } = link
  await decideApproval(services, person, { id, decision, digest, comment: comment || null }, link)
}
