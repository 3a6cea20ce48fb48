import type { Place } from '../definitions/problem.ts'
import { Fields } from '../definitions/read-fields.ts'
import { readYamlTree } from '../definitions/read-yaml-tree.ts'
import { kindOf, shorten, type Tree } from '../definitions/tree.ts'
import { SETTINGS, SETTINGS_PARTS, type SettingsPart } from './catalogue.ts'
import { isPlainText, readValue } from './read-value.ts'
import type { SettingNode, SettingValue } from './setting.ts'
import { type SettingsProblem, SettingsProblems } from './settings-problem.ts'

/** Settings as nested plain values. */
export type SettingsTree = SettingValue | readonly SettingsTree[] | { readonly [key: string]: SettingsTree }

/** The parts a document holds, its values in their units. */
export type SettingsInForce = { readonly [part in SettingsPart]?: SettingsTree }

/** What a document says, and what of it was not taken and why; or everything that is wrong with it. */
export type SettingsResult =
  | {
      readonly ok: true
      readonly settings: SettingsInForce
      readonly notes: readonly { readonly path: string; readonly reason: string }[]
    }
  | { readonly ok: false; readonly problems: readonly SettingsProblem[] }

const ROOT: Place = { path: [], at: { line: 1, column: 1 } }
const MOST_ENTRIES = 1_000

/** Pairs of which the first must not be above the second; `below`: not even the same. */
const IN_ORDER: readonly { low: string; high: string; below?: true }[] = [
  {
    low: 'orchestrator_config.resource_management.scale_down_threshold',
    high: 'orchestrator_config.resource_management.scale_up_threshold',
    below: true,
  },
  {
    low: 'orchestrator_config.resource_management.min_agents_per_type',
    high: 'orchestrator_config.resource_management.max_agents_per_type',
  },
  {
    low: 'scaling_strategy.resource_limits.min_instances',
    high: 'scaling_strategy.resource_limits.max_instances',
  },
]

/**
 * Reads settings from YAML or JSON: `orchestrator_config`, `organization_orchestration` and `scaling_strategy`, several in
 * one document, or one without its name around it. Never throws; time is bounded as for a workflow's definition.
 */
export function readSettings(text: string): SettingsResult {
  const problems = new SettingsProblems()
  const walk = new Walk(problems)
  if (text.includes('\0') || !text.isWellFormed())
    problems.add('syntax', ROOT, 'The text holds a NUL character or half a character.', 'Leave it out.')
  else if (text.trim() === '')
    problems.add('syntax', ROOT, 'The text is empty.', `Write ${SETTINGS_PARTS.join(', ')}.`)
  const tree = problems.empty ? readYamlTree(text, problems.list) : undefined
  const settings = tree && readParts(tree, walk, problems)
  walk.checkOrder()
  if (settings && problems.empty) return { ok: true, settings, notes: walk.notes }
  return { ok: false, problems: problems.inOrder() }
}

function readParts(tree: Tree, walk: Walk, problems: SettingsProblems): SettingsInForce | undefined {
  if (tree.kind !== 'map') {
    problems.add(
      'wrong_type',
      tree,
      `Settings must be a mapping, not ${kindOf(tree)}.`,
      `Write ${SETTINGS_PARTS.join(', ')}.`,
    )
    return undefined
  }
  const keys = new Set(tree.entries.map(({ key }) => key))
  if (keys.size === 0) {
    problems.add('missing_key', tree, 'The document says nothing.', `Write ${SETTINGS_PARTS.join(', ')}.`)
    return undefined
  }
  if (!SETTINGS_PARTS.some((part) => keys.has(part))) {
    const part = partOf(keys)
    return { [part]: walk.read(tree, SETTINGS[part], part, [part]) }
  }
  const fields = new Fields(tree, tree, problems.list)
  const parts = SETTINGS_PARTS.flatMap((part) => {
    const entry = fields.take(part)
    return entry ? [[part, walk.read(entry.value, SETTINGS[part], part, [part])] as const] : []
  })
  fields.refuseOthers()
  return Object.fromEntries(parts)
}

/** The part that knows most of the keys; of equals the first. */
function partOf(keys: ReadonlySet<string>): SettingsPart {
  const known = (part: SettingsPart): number => {
    const node: SettingNode = SETTINGS[part]
    return node.kind === 'group' ? Object.keys(node.of).filter((key) => keys.has(key)).length : 0
  }
  return SETTINGS_PARTS.toSorted((a, b) => known(b) - known(a))[0] ?? 'orchestrator_config'
}

class Walk {
  /** Where each value stands, by its path with the part's name. */
  readonly places = new Map<string, { place: Place; value: SettingValue | undefined }>()
  readonly notes: { path: string; reason: string }[] = []
  readonly #problems: SettingsProblems

  constructor(problems: SettingsProblems) {
    this.#problems = problems
  }

  read(tree: Tree, node: SettingNode, key: string, path: readonly string[]): SettingsTree {
    if (node.kind === 'value') {
      const value = readValue(tree, key, node, this.#problems)
      this.places.set(path.join('.'), { place: tree, value })
      return value ?? {}
    }
    if (node.kind === 'list') {
      if (tree.kind === 'list' && tree.items.length <= MOST_ENTRIES)
        return tree.items.map((item, index) =>
          this.read(item, node.of, `${key}.${index}`, [...path, String(index)]),
        )
      return this.#wrong(
        tree,
        `"${key}" must be a list, not ${kindOf(tree)}.`,
        `At most ${MOST_ENTRIES} entries.`,
      )
    }
    if (tree.kind !== 'map')
      return this.#wrong(
        tree,
        `"${key}" must be a mapping, not ${kindOf(tree)}.`,
        node.kind === 'group' ? `Known here: ${Object.keys(node.of).join(', ')}.` : 'As name: value.',
      )
    return node.kind === 'group' ? this.#group(tree, node.of, path) : this.#each(tree, node.of, path)
  }

  #group(
    tree: Tree & { kind: 'map' },
    of: Readonly<Record<string, SettingNode>>,
    path: readonly string[],
  ): SettingsTree {
    const fields = new Fields(tree, tree, this.#problems.list)
    const read = Object.entries(of).flatMap(([key, node]) => {
      const entry = fields.take(key)
      if (!entry) return []
      const value = this.read(entry.value, node, key, [...path, key])
      if (node.kind !== 'value' || node.unit !== 'ignored') return [[key, value] as const]
      this.notes.push({ path: [...path, key].join('.'), reason: node.idle ?? '' })
      return []
    })
    fields.refuseOthers()
    return Object.fromEntries(read)
  }

  #each(tree: Tree & { kind: 'map' }, of: SettingNode, path: readonly string[]): SettingsTree {
    const read = tree.entries.map(({ key, keyPlace, value }) => {
      if (!isPlainText(key))
        this.#problems.add(
          'invalid_name',
          keyPlace,
          `"${shorten(key)}" is no name.`,
          '1 to 200 characters, in one line.',
        )
      return [key, this.read(value, of, key, [...path, key])] as const
    })
    return Object.fromEntries(read)
  }

  /** Notes what contradicts itself, at the lower of the two. */
  checkOrder(): void {
    for (const { low, high, below } of IN_ORDER) {
      const [lower, upper] = [this.places.get(low), this.places.get(high)]
      if (typeof lower?.value !== 'number' || typeof upper?.value !== 'number') continue
      if (below ? lower.value < upper.value : lower.value <= upper.value) continue
      const [name, other] = [low, high].map((path) => path.split('.').at(-1))
      this.#problems.add(
        'out_of_range',
        lower.place,
        `"${name}" is ${lower.value}, and "${other}" is ${upper.value}.`,
        `"${name}" must be ${below ? 'below' : 'at most'} "${other}".`,
      )
    }
  }

  #wrong(tree: Tree, message: string, hint: string): SettingsTree {
    this.#problems.add('wrong_type', tree, message, hint)
    return {}
  }
}
