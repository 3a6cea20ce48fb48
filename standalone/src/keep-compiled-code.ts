import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/**
 * Keeps compiled code beside the packages it comes from, for this process and those it starts: the second start of a
 * clone is quicker. Where it cannot be written Node goes on without.
 */
export function keepCompiledCode(): void {
  const directory = join(import.meta.dirname, '../../node_modules/.cache/tutti-compile')
  process.env['NODE_COMPILE_CACHE'] ??= directory
  enableCompileCache(process.env['NODE_COMPILE_CACHE'])
}
