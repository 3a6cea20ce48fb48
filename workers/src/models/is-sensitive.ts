import { findPersonalData } from '@tutti/metrics/domain'

/** Letters that are looked at once; what stands across the end of a piece is in the next one too. */
const PIECE = 16_000
const OVERLAP = 500

const SECRETS =
  /\b(sk|pk|ghp|gho|xoxb|xoxp)[-_][A-Za-z0-9_-]{12,}|\bAKIA[A-Z0-9]{12,}|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY|"?(password|passwort|passwd|secret|token|api[-_]?key)"?\s*[:=]/i

/** Whether a text holds personal data or something like a secret; in doubt it does. */
export function isSensitive(text: string): boolean {
  for (let from = 0; from < text.length; from += PIECE - OVERLAP) {
    const piece = text.slice(from, from + PIECE)
    if (SECRETS.test(piece) || findPersonalData(piece).length > 0) return true
  }
  return false
}
