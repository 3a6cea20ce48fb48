/** Whom a rule is about: everybody, or those of a domain, team or type, with a capability, or one agent. */
export interface Party {
  kind: 'any' | 'domain' | 'team' | 'agent' | 'type' | 'capability'
  /** An id, or of types and capabilities the word; empty for `any`. */
  value: string
}

/** A rule on who may write to whom. */
export interface Policy {
  id: string
  name: string
  effect: 'allow' | 'deny'
  /** The highest that fits decides. */
  priority: number
  from: Party
  to: Party
}

/** What rules look at of an agent. */
export interface Subject {
  id: string
  type: string
  capabilities: readonly string[]
  teamId: string | null
  domainId: string | null
}

/** What the rules say, and the one that said it; null: none fits, which is a yes. */
export interface Judgement {
  allowed: boolean
  policy: Policy | null
}

/** Decides for a sender, null when it is no agent, and a recipient. */
export type Judge = (from: Subject | null, to: Subject) => Judgement

/**
 * Of the rules that fit both sides those of the highest priority decide, and among them a deny wins; where none fits, all
 * may write. Who is no agent is fitted by rules from `any` alone. The rules are put in order once, so that the first that
 * fits decides.
 */
export function compilePolicies(policies: readonly Policy[]): Judge {
  const ordered = [...policies].sort(
    (a, b) =>
      b.priority - a.priority ||
      Number(a.effect === 'allow') - Number(b.effect === 'allow') ||
      (a.name < b.name ? -1 : 1),
  )
  return (from, to) => {
    const policy = ordered.find((each) => fits(each.from, from) && fits(each.to, to)) ?? null
    return { allowed: policy?.effect !== 'deny', policy }
  }
}

function fits({ kind, value }: Party, subject: Subject | null): boolean {
  if (kind === 'any') return true
  if (subject === null) return false
  switch (kind) {
    case 'domain':
      return subject.domainId === value
    case 'team':
      return subject.teamId === value
    case 'agent':
      return subject.id === value
    case 'type':
      return subject.type === value
    case 'capability':
      return subject.capabilities.includes(value)
  }
}
