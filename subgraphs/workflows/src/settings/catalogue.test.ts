import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SETTINGS, SETTINGS_PARTS } from './catalogue.ts'
import type { Setting, SettingNode } from './setting.ts'

const page = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8')

function settingsIn(node: SettingNode, path: string): { path: string; setting: Setting }[] {
  if (node.kind === 'value') return [{ path, setting: node }]
  if (node.kind === 'list') return settingsIn(node.of, `${path}[]`)
  if (node.kind === 'each') return settingsIn(node.of, `${path}.*`)
  return Object.entries(node.of).flatMap(([key, child]) => settingsIn(child, path ? `${path}.${key}` : key))
}

const writtenAs = (setting: Setting): string => {
  switch (setting.unit) {
    case 'count':
      return `${setting.min} to ${setting.max} ${setting.nouns[0]}`
    case 'share':
      return '0 to 1, or `70%`'
    case 'percent':
      return '0 to 100, or `70%`'
    case 'dollars':
      return `${setting.min} to ${setting.max} US dollars`
    case 'minutes':
    case 'seconds':
      return `${setting.min} to ${setting.max} ${setting.unit}, or as \`1h30m\``
    case 'cores':
      return 'cores, or `2000m`'
    case 'bytes':
      return 'bytes, or `4Gi`'
    case 'flag':
      return 'true, false'
    case 'always on':
      return 'true only'
    case 'period':
      return 'daily, weekly ..., or cron'
    case 'word':
      return setting.words.join(', ')
    case 'ignored':
      return 'ignored'
    case 'text':
    case 'texts':
      return setting.unit
  }
}

test.each(SETTINGS_PARTS)(
  'docs/settings.md says of every key of %s how it is written and whether it does something',
  (part) => {
    const section = page.slice(page.indexOf(`\n## \`${part}\``)).split('\n## ')[1] ?? ''
    const rows = [...section.matchAll(/^\| `([^`]+)` \| (.+?) \| (.*?) \|$/gm)].map(([, path, as, does]) => ({
      path,
      as,
      does: does !== '',
    }))
    expect(rows).toEqual(
      settingsIn(SETTINGS[part], '').map(({ path, setting }) => ({
        path,
        as: writtenAs(setting),
        does: setting.effect !== undefined,
      })),
    )
  },
)
