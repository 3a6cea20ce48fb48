import type { LimitRule } from '../limits/limit-rule.ts'
import { SETTINGS, SETTINGS_PARTS } from './catalogue.ts'
import type { SettingsInForce, SettingsTree } from './read-settings.ts'
import type { EffectContext, Setting, SettingNode } from './setting.ts'

/** What the settings come to: every value has its effect or is said to have none, and why. */
export interface Consequences {
  applied: { path: string; effect: string }[]
  withoutEffect: { path: string; reason: string }[]
}

/** What each value of these settings does, or why it does nothing. */
export function consequencesOf(settings: SettingsInForce, context: EffectContext): Consequences {
  const found: Consequences = { applied: [], withoutEffect: [] }
  for (const { path, setting, value } of valuesOf(settings)) {
    if (setting.effect) found.applied.push({ path, effect: setting.effect(Number(value), context) })
    else found.withoutEffect.push({ path, reason: setting.idle })
  }
  return found
}

/** The limits by which settings have their effect. */
export function limitsOfSettings(settings: SettingsInForce): LimitRule[] {
  return valuesOf(settings).flatMap(({ setting, value }) =>
    setting.limit && typeof value === 'number' ? [setting.limit(value)] : [],
  )
}

interface PlacedValue {
  path: string
  setting: Setting
  value: SettingsTree
}

function valuesOf(settings: SettingsInForce): PlacedValue[] {
  return SETTINGS_PARTS.flatMap((part) => {
    const tree = settings[part]
    return tree === undefined ? [] : visit(SETTINGS[part], tree, part)
  })
}

function visit(node: SettingNode, tree: SettingsTree, path: string): PlacedValue[] {
  if (node.kind === 'value') return [{ path, setting: node, value: tree }]
  if (typeof tree !== 'object') return []
  return Object.entries(tree).flatMap(([key, value]) => {
    const child = node.kind === 'group' ? (Object.hasOwn(node.of, key) ? node.of[key] : undefined) : node.of
    return child ? visit(child, value, `${path}.${key}`) : []
  })
}
