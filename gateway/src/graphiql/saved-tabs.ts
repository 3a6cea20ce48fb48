import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A tab of GraphiQL; `variables` is JSON text. */
export interface SavedTab {
  query: string
  variables?: string
}

/**
 * The tabs a newcomer finds: each `.graphql` file of the directory by name, with `<name>.variables.json` beside it
 * as its variables. `01-` and the like in front give the order.
 */
export function savedTabs(directory: string): SavedTab[] {
  const files = readdirSync(directory).sort()
  return files
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => {
      const query = readFileSync(join(directory, file), 'utf8')
      const beside = file.replace(/\.graphql$/, '.variables.json')
      return files.includes(beside)
        ? { query, variables: readFileSync(join(directory, beside), 'utf8') }
        : { query }
    })
}
