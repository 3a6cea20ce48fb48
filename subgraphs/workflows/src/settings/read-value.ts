import type { Place } from '../definitions/problem.ts'
import { kindOf, shorten, type Tree } from '../definitions/tree.ts'
import { readSchedule } from '../triggers/schedule.ts'
import { bytesOf, coresOf, countOf, dollarsOf, percentOf, secondsOf, shareOf } from './quantity.ts'
import type { SettingValue, Unit } from './setting.ts'
import type { SettingsProblems } from './settings-problem.ts'

/** The longest text of a value, and the most texts of a list. */
const LONGEST = 200
const MOST_TEXTS = 100
const PERIODS: readonly string[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly']
/** Control characters, and half a character: no name holds one, and PostgreSQL keeps neither. */
const UNUSUAL = /[\p{Cc}\p{Cs}]/u

/** Reads one value as its unit says; undefined when it is none, which is then noted, or when it is not kept. */
export function readValue(
  tree: Tree,
  key: string,
  unit: Unit,
  problems: SettingsProblems,
): SettingValue | undefined {
  switch (unit.unit) {
    case 'ignored':
      return undefined
    case 'flag':
      return readFlag(tree, key, problems)
    case 'always on':
      return readSwitch(tree, key, unit.reason, problems)
    case 'text':
      return readText(tree, key, problems)
    case 'texts':
      return readTexts(tree, key, problems)
    case 'word': {
      const text = readText(tree, key, problems)
      if (text === undefined || unit.words.includes(text)) return text
      return wrong(problems, tree, `"${key}" is ${quoted(text)}.`, `Write ${unit.words.join(', ')}.`)
    }
    case 'period': {
      const text = readText(tree, key, problems)
      if (text === undefined || PERIODS.includes(text) || readSchedule(text, 'UTC').ok) return text
      const hint = `Write ${PERIODS.join(', ')}, or cron with five fields; times are the organization's.`
      return wrong(problems, tree, `"${key}" is ${quoted(text)}.`, hint)
    }
    default:
      return readQuantity(tree, key, unit, problems)
  }
}

type Measured = Exclude<
  Unit,
  { unit: 'ignored' | 'flag' | 'always on' | 'text' | 'texts' | 'word' | 'period' }
>

function readQuantity(
  tree: Tree,
  key: string,
  unit: Measured,
  problems: SettingsProblems,
): number | undefined {
  const written =
    tree.kind === 'scalar' && tree.value !== null && typeof tree.value !== 'boolean' ? tree.value : undefined
  const amount = written === undefined ? undefined : measure(written, unit)
  const { example, min, max, whole } = rangeOf(unit)
  const range = `${whole ? 'A whole number from' : 'From'} ${min} to ${max}, as ${example}.`
  if (amount === undefined)
    return wrong(problems, tree, `"${key}" must be ${nameOf(unit)}, not ${kindOf(tree)}.`, range)
  if (amount >= min && amount <= max && (!whole || Number.isInteger(amount))) return amount
  problems.add('out_of_range', tree, `"${key}" is ${written}.`, range)
  return undefined
}

function measure(written: string | number, unit: Measured): number | undefined {
  switch (unit.unit) {
    case 'count':
      return countOf(written, unit.nouns)
    case 'share':
      return shareOf(written)
    case 'percent':
      return percentOf(written)
    case 'dollars':
      return dollarsOf(written)
    case 'cores':
      return coresOf(written)
    case 'bytes':
      return bytesOf(written)
    case 'seconds':
      return secondsOf(written, 1)
    case 'minutes': {
      const seconds = secondsOf(written, 60)
      return seconds === undefined ? undefined : seconds / 60
    }
  }
}

function rangeOf(unit: Measured): { example: string; min: number; max: number; whole: boolean } {
  switch (unit.unit) {
    case 'share':
      return { example: '0.7 or 70%', min: 0, max: 1, whole: false }
    case 'percent':
      return { example: '70 or 70%', min: 0, max: 100, whole: false }
    case 'count':
      return { ...unit, example: `100 or 100_${unit.nouns[0]}`, whole: true }
    case 'bytes':
      return { ...unit, example: '4Gi or 512Mi', whole: true }
    default:
      return { ...unit, example: EXAMPLES[unit.unit], whole: false }
  }
}

const EXAMPLES = { dollars: '50', cores: '2 or 2000m', seconds: '30 or 30s', minutes: '30 or 1h30m' } as const

function nameOf(unit: Measured): string {
  switch (unit.unit) {
    case 'count':
      return `a number of ${unit.nouns[0]}`
    case 'share':
      return 'a share'
    case 'percent':
      return 'a percentage'
    case 'dollars':
      return 'an amount of US dollars'
    case 'cores':
      return 'a number of processor cores'
    case 'bytes':
      return 'an amount of memory'
    default:
      return 'a duration'
  }
}

function readFlag(tree: Tree, key: string, problems: SettingsProblems): boolean | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'boolean') return tree.value
  return wrong(problems, tree, `"${key}" must be true or false, not ${kindOf(tree)}.`, 'Write true or false.')
}

function readSwitch(
  tree: Tree,
  key: string,
  reason: string,
  problems: SettingsProblems,
): boolean | undefined {
  const on = readFlag(tree, key, problems)
  if (on === false)
    problems.add(
      'cannot_be_turned_off',
      tree,
      `"${key}" cannot be turned off. ${reason}`,
      'Write true, or leave it out.',
    )
  return on || undefined
}

function readText(tree: Tree, key: string, problems: SettingsProblems): string | undefined {
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && isPlainText(tree.value)) return tree.value
  return wrong(
    problems,
    tree,
    `"${key}" must be a text, not ${kindOf(tree)}.`,
    `1 to ${LONGEST} characters, in one line.`,
  )
}

function readTexts(tree: Tree, key: string, problems: SettingsProblems): readonly string[] | undefined {
  if (tree.kind !== 'list')
    return wrong(
      problems,
      tree,
      `"${key}" must be a list of texts, not ${kindOf(tree)}.`,
      'As [one, another].',
    )
  if (tree.items.length > MOST_TEXTS)
    return wrong(problems, tree, `"${key}" has ${tree.items.length} entries.`, `At most ${MOST_TEXTS}.`)
  return tree.items.flatMap((item, index) => readText(item, `${key}.${index}`, problems) ?? [])
}

/** Whether it is a text of one line that can be kept. */
export const isPlainText = (text: string): boolean =>
  text.trim() !== '' && text.length <= LONGEST && !UNUSUAL.test(text)

const quoted = (text: string): string => JSON.stringify(shorten(text))

function wrong(problems: SettingsProblems, place: Place, message: string, hint: string): undefined {
  problems.add('wrong_type', place, message, hint)
}
