import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The repository's root. */
export const root = join(import.meta.dirname, '../..')

/** A file of ours: its path from the root with forward slashes, its text, and the text without comments. */
export type SourceFile = { path: string; text: string; code: string }

/** Every hand-written TypeScript file below the given folders (all of ours by default), this folder's rules excepted. */
export function sourceFiles(folders: string[] = ['.']): SourceFile[] {
  const exclude = (path: string) => /(^|[/\\])(node_modules|generated|\.tutti|\.git)$/.test(path)
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root, exclude }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.startsWith('test/rules/'))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, code: withoutComments(text) }
    })
}

/** Good enough for rules: a line comment must follow a space or begin its line, so that `https://` is none. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
