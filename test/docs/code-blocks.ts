import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** The pages somebody reads, relative to the root. */
export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...globSync('docs/**/*.md', { cwd: root }),
  ...globSync('examples/*/README.md', { cwd: root }),
].sort()

/** A fenced block of a page. */
export interface CodeBlock {
  page: string
  /** Where its first line stands, from 1. */
  line: number
  language: string
  code: string
}

/** All fenced blocks of a page, indented ones too. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^\1```/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    language: match[2] ?? '',
    code: match[3] ?? '',
  }))
}

/** Rows of the Markdown table that begins with this header cell, as trimmed cells. */
export function tableRows(page: string, firstHeader: string): string[][] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  const at = lines.findIndex((line) => line.startsWith(`| ${firstHeader} |`))
  const rows: string[][] = []
  for (const line of at < 0 ? [] : lines.slice(at + 2)) {
    if (!line.startsWith('|')) break
    rows.push(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
  }
  return rows
}
