import { createHash } from 'node:crypto'
import { canonicalJson } from '@tutti/schema'

/** What a server says of a tool; untrusted, data only. */
export interface OfferedTool {
  name: string
  description: string | null
  /** JSON Schema. */
  inputSchema: unknown
}

/** What a tool is known by: sha256, as hex, of its canonical JSON. The order of keys does not matter. */
export const toolHash = ({ name, description, inputSchema }: OfferedTool): string =>
  createHash('sha256').update(canonicalJson({ name, description, inputSchema })).digest('hex')
