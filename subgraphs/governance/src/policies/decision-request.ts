import type { Classification, Risk } from '@tutti/schema'
import type { Level } from '../authority/levels.ts'

/** What is to be decided, as conditions see it: what is not known is null. */
export type DecisionRequest = {
  actor: {
    id: string
    kind: string
    name: string
    roles: readonly string[]
    /** agent, domain, enterprise: those that its roles give. */
    levels: readonly Level[]
    agentId: string | null
  }
  action: string
  resource: {
    /** As `tool`. */
    type: string | null
    id: string | null
    name: string | null
    domain: string | null
    team: string | null
    owner: string | null
    /** Whatever else is known of it. */
    attributes: Readonly<Record<string, unknown>>
  }
  context: {
    arguments: Readonly<Record<string, unknown>>
    /** In US dollars. */
    amount: number | null
    risk: Risk | null
    classification: Classification | null
    time: Date
  }
}

/** Fields that a condition may read; `open`: what is below is the caller's. */
export const READABLE: Readonly<Record<string, Readonly<Record<string, 'value' | 'open'>> | 'value'>> = {
  actor: { id: 'value', kind: 'value', name: 'value', roles: 'value', levels: 'value', agentId: 'value' },
  action: 'value',
  resource: {
    type: 'value',
    id: 'value',
    name: 'value',
    domain: 'value',
    team: 'value',
    owner: 'value',
    attributes: 'open',
  },
  context: { arguments: 'open', amount: 'value', risk: 'value', classification: 'value', time: 'value' },
}

/** What it is about, as `tool/refund`; null when nobody said. */
export const resourceOf = ({ resource }: DecisionRequest): string | null =>
  resource.type === null ? null : `${resource.type}/${resource.id ?? resource.name ?? ''}`
