import { posix } from 'node:path'

import { parseSync } from 'oxc-parser'

/**
 * The files that `file` (a path with forward slashes) imports or re-exports by a relative path, types included,
 * dynamic `import('./x.ts')` too; as paths like `file`'s.
 */
export function relativeImports(file: string, source: string): string[] {
  const { module } = parseSync(file, source)
  const requests = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.map((entry) => entry.moduleRequest?.value)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) =>
      source.slice(start, end).slice(1, -1),
    ),
  ]
  const relative = requests.filter((request) => request !== undefined && /^\.\.?\//.test(request))
  return [...new Set(relative.map((request) => posix.join(posix.dirname(file), request ?? '')))]
}
