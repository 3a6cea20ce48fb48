import { createHash, randomBytes } from 'node:crypto'

/** A new secret path's last part: 32 random bytes. */
export const newPath = (): string => randomBytes(32).toString('base64url')

/** What is stored of a path. */
export const hashPath = (path: string): string => createHash('sha256').update(path).digest('hex')
