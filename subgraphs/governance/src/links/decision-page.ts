import { createHash } from 'node:crypto'
import type { ApprovalRow } from '../approvals/approval-row.ts'
import type { EscalationRow } from '../escalations/escalation-row.ts'
import type { OpenLink } from './find-link.ts'

/** What the gateway answers a visit with. */
export interface Page {
  status: number
  headers: Record<string, string>
  /** HTML. */
  body: string
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:44rem;padding:1.5rem;color:#1b1b1b;background:#fff}
h1{font-size:1.4rem;overflow-wrap:anywhere}dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
pre{background:#f3f3f3;padding:.75rem;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;margin:0}
textarea{width:100%;box-sizing:border-box;font:inherit}button{font:inherit;padding:.5rem 1.25rem;margin:.75rem .75rem 0 0}
.wrong{color:#a00;font-weight:600}`

/** Nothing but its own style and form: no script, no frame around it, nothing kept, and the address is told to nobody. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
}

/** For whatever opens nothing: it says nothing of why, nor whose it was. */
export const gonePage = (): Page =>
  page(
    404,
    'This link opens nothing',
    '<p>It was used, its time is over, or what it was for is settled. Nothing was changed.</p>',
  )

/** What there is to decide, and the form. */
export const askingPage = (found: OpenLink): Page => page(200, titleOf(found), asking(found, null))

/** The same again: what came says nothing that can be done. */
export const unclearPage = (found: OpenLink, problem: string): Page =>
  page(400, titleOf(found), asking(found, problem))

const DONE = {
  APPROVE: 'Your yes counts.',
  REJECT: 'You said no.',
  ACKNOWLEDGE: 'You have taken it on.',
} as const

/** After it was done. */
export const thanksPage = (verdict: keyof typeof DONE): Page =>
  page(200, DONE[verdict], '<p>The link is used up; you can close this page.</p>')

function page(status: number, title: string, inner: string): Page {
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>
${inner}
</main></body></html>
`
  return { status, headers: { ...HEADERS }, body }
}

const titleOf = ({ waiting }: OpenLink): string =>
  waiting.kind === 'approval' ? waiting.approval.title : waiting.escalation.title

function asking({ person, waiting }: OpenLink, problem: string | null): string {
  const facts =
    waiting.kind === 'approval' ? factsOf(waiting.approval) : factsOfEscalation(waiting.escalation)
  const form = waiting.kind === 'approval' ? DECIDE : ACKNOWLEDGE
  return `${problem === null ? '' : `<p class="wrong">${escaped(problem)}</p>\n`}<dl>${facts.join('\n')}</dl>
<p>You decide as ${escaped(person.name)}. This link is yours alone and works once.</p>
${form}`
}

const DECIDE = `<form method="post"><label>Comment<br><textarea name="comment" rows="4" maxlength="10000"></textarea></label><br>
<button name="decision" value="APPROVE">Approve</button><button name="decision" value="REJECT">Reject</button></form>`
const ACKNOWLEDGE = `<form method="post"><button name="decision" value="ACKNOWLEDGE">Take it on</button></form>`

function factsOf(approval: ApprovalRow): string[] {
  const {
    action,
    arguments: given,
    preview,
    risk,
    costUsd,
    digest,
    requestedBy,
    reason,
    expiresAt,
  } = approval
  return [
    fact('Action', action),
    code('Arguments', given),
    ...(preview === null ? [] : [code('What would come of it', preview)]),
    fact('Risk', risk),
    ...(costUsd === null ? [] : [fact('Cost in US dollars', String(costUsd))]),
    fact('Asked by', requestedBy.name),
    fact('Why', reason),
    ...(expiresAt === null ? [] : [fact('To be decided until', expiresAt.toISOString())]),
    fact('Digest of action and arguments', digest),
  ]
}

function factsOfEscalation({ level, reason, openedBy, acknowledgeBy }: EscalationRow): string[] {
  return [
    fact('Level', level),
    fact('Escalated by', openedBy.name),
    fact('Why', reason),
    ...(acknowledgeBy === null ? [] : [fact('To be taken on until', acknowledgeBy.toISOString())]),
  ]
}

const fact = (name: string, value: string): string => `<dt>${name}</dt><dd>${escaped(value)}</dd>`

const code = (name: string, value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return `<dt>${name}</dt><dd><pre>${escaped(text)}</pre></dd>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** As text and nothing else; what turns the direction of a text, or is not seen, is shown as its code. */
const escaped = (text: string): string =>
  text
    .replaceAll(/[&<>"']/g, (each) => ENTITIES[each] ?? each)
    .replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`)
