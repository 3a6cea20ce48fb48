import type { Scheme } from './verify-call.ts'

/** What sort of thing a connector leads to. */
export const CATEGORIES = ['core', 'development', 'analytics', 'governance', 'messaging', 'social'] as const
export type Category = (typeof CATEGORIES)[number]

/** A channel or server that is known by its name. */
export interface KnownConnector {
  name: string
  category: Category
  /** How its calls are verified; null: it makes none. */
  scheme: Scheme | null
}

/** Connectors that need no more than bindings; others are core, and call by Standard Webhooks, unless it is said. */
export const KNOWN_CONNECTORS: readonly KnownConnector[] = [
  { name: 'github', category: 'development', scheme: 'github' },
  { name: 'linear', category: 'development', scheme: 'linear' },
  { name: 'vercel', category: 'development', scheme: 'vercel' },
  { name: 'notion', category: 'core', scheme: 'notion' },
  { name: 'filesystem', category: 'core', scheme: null },
  { name: 'memory', category: 'core', scheme: null },
  { name: 'slack', category: 'messaging', scheme: 'slack' },
  { name: 'whatsapp', category: 'messaging', scheme: 'meta' },
  { name: 'messenger', category: 'messaging', scheme: 'meta' },
  { name: 'instagram', category: 'social', scheme: 'meta' },
  { name: 'facebook', category: 'social', scheme: 'meta' },
  { name: 'threads', category: 'social', scheme: 'meta' },
]

/** What is known of a name; undefined for one of the organization's own. */
export const knownConnector = (name: string): KnownConnector | undefined =>
  KNOWN_CONNECTORS.find((each) => each.name === name)
