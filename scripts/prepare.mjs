// Runs after `npm ci`. Plain JavaScript, since an installation without devDependencies may have an older Node, which
// cannot run TypeScript, and has no generators: there the generated code comes from a build stage, and this does nothing.
import { existsSync } from 'node:fs'

const major = Number(process.versions.node.split('.')[0])
const installed = existsSync(new URL('../node_modules/prisma/package.json', import.meta.url))
if (major >= 24 && installed) await import('./generate.ts')
else console.log('prepare: no code generated (this needs Node 24 and the devDependencies)')
