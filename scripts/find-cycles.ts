// Fails when files of ours import each other in a circle, and prints each circle. Imports of types count too: they cost
// nothing at run time, but files that need each other's types can only be understood together. Between workspaces
// `turbo boundaries` allows no circle, so only relative imports are followed.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { findCycles } from './find-cycles/find-cycles.ts'
import { relativeImports } from './find-cycles/relative-imports.ts'

const root = join(import.meta.dirname, '..')
const files = globSync('**/*.ts', {
  cwd: root,
  exclude: (path) => /(^|\/)(node_modules|generated|\.tutti|\.git)$/.test(path),
})
const graph = new Map(
  files.map((file) => [file, relativeImports(file, readFileSync(join(root, file), 'utf8'))]),
)
const cycles = findCycles(graph)

for (const cycle of cycles) console.error(`import cycle:\n  ${[...cycle, cycle[0]].join('\n  → ')}`)
if (cycles.length > 0) process.exitCode = 1
else console.log(`No import cycle in ${files.length} files.`)
