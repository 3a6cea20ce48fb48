import type { Actor } from '@tutti/schema'

/**
 * What a client calls something of its own, so that another's, or the platform's, can never be met by chance or on purpose:
 * the key of a question, and who used its yes.
 */
export const clientKey = ({ id }: Actor, key: string): string => `client/${id}/${key}`
