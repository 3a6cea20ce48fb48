/** Worst first. */
export const SEVERITIES = ['SEV_1', 'SEV_2', 'SEV_3', 'SEV_4'] as const
export type Severity = (typeof SEVERITIES)[number]

/** Whom an incident touches, widest first. */
export const IMPACTS = ['enterprise', 'domain', 'team', 'individual'] as const
export type Impact = (typeof IMPACTS)[number]

/** Hours within which an incident should be resolved, from the seed: 1 h, 4 h, 24 h, 1 week. */
export const RESOLVE_WITHIN_HOURS: Record<Severity, number> = { SEV_1: 1, SEV_2: 4, SEV_3: 24, SEV_4: 168 }

/** How bad it is: by whom it touches, and one less bad when there is a way around it. */
export function severityOf(impact: Impact, workaround: boolean): Severity {
  const place = IMPACTS.indexOf(impact) + (workaround ? 1 : 0)
  return SEVERITIES[Math.min(place, SEVERITIES.length - 1)] ?? 'SEV_4'
}
