import type { LimitRule } from '../limits/limit-rule.ts'

/** A value of the settings as it is in force. */
export type SettingValue = number | boolean | string | readonly string[]

/** What an effect's words may need. */
export interface EffectContext {
  /** The organization's. */
  timeZone: string
}

/** What one value does, in plain words, or why it does nothing. Exactly one of the two. */
export type Consequence =
  | { readonly effect: (value: number, context: EffectContext) => string; readonly idle?: never }
  | { readonly idle: string; readonly effect?: never }

interface Bounds {
  readonly min: number
  readonly max: number
}

/** How a value is written, and what it comes to. */
export type Unit =
  | ({ readonly unit: 'count'; readonly nouns: readonly string[] } & Bounds)
  | { readonly unit: 'share' | 'percent' }
  | ({ readonly unit: 'dollars' | 'cores' | 'bytes' } & Bounds)
  /** Kept in the unit of the key's name, minutes or seconds; the bounds are in it too. */
  | ({ readonly unit: 'minutes' | 'seconds' } & Bounds)
  | { readonly unit: 'flag' | 'text' | 'texts' | 'period' }
  | { readonly unit: 'word'; readonly words: readonly string[] }
  /** A security switch: false is refused, for this reason. */
  | { readonly unit: 'always on'; readonly reason: string }
  /** Stands for itself and is not kept. */
  | { readonly unit: 'ignored' }

/** One value of the settings. */
export type Setting = Unit &
  Consequence & {
    readonly kind: 'value'
    /** The limit by which it has its effect. */
    readonly limit?: (value: number) => LimitRule
  }

/** A place in the settings: a value, keys that are known, keys of the author's own, or a list. */
export type SettingNode =
  | Setting
  | { readonly kind: 'group'; readonly of: Readonly<Record<string, SettingNode>> }
  | { readonly kind: 'each'; readonly of: SettingNode }
  | { readonly kind: 'list'; readonly of: SettingNode }
