/** An agent's mean load in a time around a moment, milliseconds since the epoch. */
export interface LoadOfAgent {
  agentId: string
  at: number
  load: number
}

/** A share of an agent's work while it held, in milliseconds since the epoch; until null: it holds. */
export interface ShareInTime {
  agentId: string
  to: string
  percent: number
  since: number
  until: number | null
}

/**
 * What each agent would have had to do if nobody had taken a share of anybody's work, from what it had and the shares in force
 * at each moment. With m the part of an agent's work that is given by capability and p the percent others take:
 * natural = load / (1 - m p / 100) for who gives, and for who takes load less what it took, not below 0. Nobody does both.
 */
export function naturalLoads(
  loads: readonly LoadOfAgent[],
  shares: readonly ShareInTime[],
  movableOf: (agentId: string) => number,
): LoadOfAgent[] {
  return [...Map.groupBy(loads, ({ at }) => at)].flatMap(([at, together]) => {
    const held = shares.filter(({ since, until }) => since <= at && (until === null || until > at))
    if (held.length === 0) return together
    const whole = new Map(
      together.map(({ agentId, load }) => {
        const percent = held.reduce((sum, each) => (each.agentId === agentId ? sum + each.percent : sum), 0)
        return [agentId, load / (1 - (movableOf(agentId) * percent) / 100)]
      }),
    )
    return together.map(({ agentId }) => {
      const took = held.reduce(
        (sum, each) =>
          each.to === agentId
            ? sum + ((whole.get(each.agentId) ?? 0) * movableOf(each.agentId) * each.percent) / 100
            : sum,
        0,
      )
      return { agentId, at, load: Math.max(0, (whole.get(agentId) ?? 0) - took) }
    })
  })
}
