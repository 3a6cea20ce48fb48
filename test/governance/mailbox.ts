import { SMTPServer } from 'smtp-server'

/** A mail as it arrived. */
export interface Mail {
  to: string
  subject: string
  text: string
}

/** A mail server of this process that takes everything. */
export interface Mailbox extends AsyncDisposable {
  url: string
  /** What came, oldest first. */
  mails: Mail[]
  to(address: string): Mail[]
}

/** Starts it on a free port; dispose it. */
export async function openMailbox(): Promise<Mailbox> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const { subject, text } = readMail(Buffer.concat(parts).toString())
        mails.push(...session.envelope.rcptTo.map(({ address }) => ({ to: address, subject, text })))
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    to: (address) => mails.filter((mail) => mail.to === address),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}

/** Of one part of text, as the platform sends it: plain or quoted-printable. */
function readMail(raw: string): { subject: string; text: string } {
  const end = raw.indexOf('\r\n\r\n')
  const head = raw.slice(0, end).replaceAll(/\r\n\s+/g, ' ')
  const subject = /^subject: (.*)$/im.exec(head)?.[1] ?? ''
  const body = raw.slice(end + 4)
  const text = /^content-transfer-encoding: quoted-printable$/im.test(head)
    ? body
        .replaceAll('=\r\n', '')
        .replaceAll(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : body
  return { subject, text }
}

/** The token of the link in a mail; null: it has none. */
export const tokenIn = ({ text }: Mail): string | null =>
  /\/decide\/([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])/.exec(text)?.[1] ?? null
