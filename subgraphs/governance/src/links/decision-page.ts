import { createHash } from 'node:crypto'
import { factsOfApproval, factsOfEscalation } from './decision-facts.ts'
import type { OpenLink } from './find-link.ts'
import { escaped } from './html.ts'

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
table{border-collapse:collapse;margin:0}th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere;white-space:pre-wrap}
textarea{width:100%;box-sizing:border-box;font:inherit}button{font:inherit;padding:.5rem 1.25rem;margin:.75rem .75rem 0 0}
:focus-visible{outline:3px solid #06c;outline-offset:2px}.hint{margin:.25rem 0;color:#555}.wrong{color:#a00;font-weight:600}`

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
export const askingPage = (found: OpenLink): Page => page(200, titleOf(found), asking(found, null, ''))

/** The same again with the comment that came: what came says nothing that can be done. */
export const unclearPage = (found: OpenLink, problem: string, comment: string): Page =>
  page(400, titleOf(found), asking(found, problem, comment))

const DONE = {
  APPROVE: 'Your yes counts.',
  REJECT: 'You said no.',
  REQUEST_CHANGES: 'It goes back to who asked, with your comment.',
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

function asking({ person, waiting }: OpenLink, problem: string | null, comment: string): string {
  const facts = waiting.kind === 'approval' ? factsOfApproval(waiting) : factsOfEscalation(waiting.escalation)
  const form = waiting.kind === 'approval' ? decide(comment) : ACKNOWLEDGE
  return `${problem === null ? '' : `<p class="wrong" role="alert">${escaped(problem)}</p>\n`}<dl>${facts.join('\n')}</dl>
<p>You decide as ${escaped(person.name)}. This link is yours alone and works once.</p>
${form}`
}

// The browser wants a comment of who asks for changes, and of nobody else.
const decide = (
  comment: string,
): string => `<form method="post"><label for="comment">Comment</label><textarea id="comment" name="comment" rows="4" maxlength="10000" required aria-describedby="hint">
${escaped(comment)}</textarea>
<p class="hint" id="hint">Who asks for changes says which: whoever asked may then ask anew.</p>
<button name="decision" value="APPROVE" formnovalidate>Approve</button><button name="decision" value="REJECT" formnovalidate>Reject</button><button name="decision" value="REQUEST_CHANGES">Ask for changes</button></form>`
const ACKNOWLEDGE = `<form method="post"><button name="decision" value="ACKNOWLEDGE">Take it on</button></form>`
