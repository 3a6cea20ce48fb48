import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { root } from './source-files.ts'

const scriptsOf = (workspace: string) => {
  const manifest: { scripts?: Record<string, string> } = JSON.parse(
    readFileSync(join(root, workspace, 'package.json'), 'utf8'),
  )
  return manifest.scripts ?? {}
}
const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })]

test.each(documents)('every npm script that %s names exists', (path) => {
  const unknown = [
    ...readFileSync(join(root, path), 'utf8').matchAll(
      /npm (?:run (?:-s )?([\w:-]+)|(start|test)\b)(?: -w ([\w/-]+))?/g,
    ),
  ]
    .map(([command, script, short, workspace]) => ({
      command,
      name: script ?? short ?? '',
      workspace: workspace ?? '.',
    }))
    .filter(({ name, workspace }) => !(name in scriptsOf(workspace)))
  expect(unknown).toEqual([])
})

test.each(documents)('every link and path of ours in %s leads somewhere', (path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, link = '']) =>
    join(dirname(path), link),
  )
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([])
})

test('the README has somebody running it within its first screen', () => {
  const screen = readFileSync(join(root, 'README.md'), 'utf8').split('\n').slice(0, 30).join('\n')
  expect(screen).toContain('npm ci && npm start')
})
