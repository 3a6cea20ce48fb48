import { type Sealed, seal, unseal } from '@tutti/runtime'
import { z } from 'zod'

const LEAST = 8
const MOST = 8_192
/** Of a shorter value four characters would say too much. */
const SHOWS_END_FROM = 20

/**
 * A value: 8 to 8,192 characters of printable ASCII in one line, as a header can bear it. A shorter one could not be told
 * from ordinary words where it is looked for. No mistake repeats it.
 */
export const credentialValue = z
  .string()
  .min(LEAST, `A value has at least ${LEAST} characters.`)
  .max(MOST, `A value has at most ${MOST} characters.`)
  .regex(/^[!-~]([ -~]*[!-~])?$/, 'A value is one line of printable ASCII, without blanks around it.')

/** Its last four characters, where it is long enough to show them. */
export const lastFourOf = (value: string): string | null =>
  value.length >= SHOWS_END_FROM ? value.slice(-4) : null

/** The row that a value is stored in: it opens in no other. */
export interface CredentialPlace {
  organizationId: string
  id: string
  name: string
}

const boundTo = ({ organizationId, id, name }: CredentialPlace) => ['credential', organizationId, id, name]

/** Encrypts a value for one row. */
export const sealValue = (dataKey: Buffer, value: string, place: CredentialPlace): Sealed =>
  seal(dataKey, Buffer.from(value), boundTo(place))

/** The value again. Throws SealBroken when it was sealed for another row, or under another key. */
export const openValue = (dataKey: Buffer, sealed: Sealed, place: CredentialPlace): string =>
  unseal(dataKey, sealed, boundTo(place)).toString()
