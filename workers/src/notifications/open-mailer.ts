import type { Delivery } from '@tutti/governance/domain'
import { createTransport } from 'nodemailer'
import { oneLine, type Telling, writeLines } from './write-lines.ts'

/** Where mail goes out: `TUTTI_SMTP_URL` (as smtp://user:password@mail.example.com:587) and `TUTTI_MAIL_FROM`. */
export interface MailSettings {
  url: string | undefined
  from: string | undefined
}

/** How an attempt went; `detail` may tell of the operator's network: it is for the log of the process alone. */
export type Attempt = Delivery & { detail?: string }

/** Sends mail; its connections end with it. */
export interface Mailer extends AsyncDisposable {
  send(telling: Telling): Promise<Attempt>
}

const TIMEOUT_MS = 20_000
const MOST_SUBJECT = 200

/** Opens it. Without settings each mail fails, saying what is missing. */
export function openMailer({ url, from }: MailSettings): Mailer {
  if (url === undefined || from === undefined) {
    const missing = [url === undefined && 'TUTTI_SMTP_URL', from === undefined && 'TUTTI_MAIL_FROM']
    const message = `E-mail is not set up: ${missing.filter(Boolean).join(' and ')} must be set.`
    return { send: async () => ({ ok: false, message }), [Symbol.asyncDispose]: async () => undefined }
  }
  const transport = createTransport(url, { from })
  return {
    async send(telling) {
      const { id, address, message } = telling
      const sent = transport.sendMail({
        to: { name: '', address },
        subject: oneLine(message.title).slice(0, MOST_SUBJECT).toWellFormed(),
        text: `${writeLines(telling).join('\n\n')}\n`,
        // The same for each attempt: a mailbox that got it already can tell.
        messageId: `<${id}@tutti>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<Attempt>((resolve) => {
        timer = setTimeout(resolve, TIMEOUT_MS, {
          ok: false,
          message: 'The mail server did not answer in time.',
        })
      })
      try {
        return await Promise.race([sent.then((): Attempt => ({ ok: true }), failed), late])
      } finally {
        clearTimeout(timer)
      }
    },
    [Symbol.asyncDispose]: async () => transport.close(),
  }
}

// Where the server is and what it answers is the operator's; that it wants no such mail is the tenant's to know.
const failed = (error: unknown): Attempt => ({
  ok: false,
  message: isRefusal(error)
    ? 'The mail server refused the address or the message.'
    : 'The mail server could not be reached, or did not take it now.',
  detail: String(error),
})

const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  'responseCode' in error &&
  Number(error.responseCode) >= 500 &&
  'command' in error &&
  (error.command === 'RCPT TO' || error.command === 'DATA')
