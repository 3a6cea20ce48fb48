import type { Database } from '@tutti/prisma'
import { type Actor, fail } from '@tutti/schema'
import { chooseModel, type ModelWish } from './choose-model.ts'
import type { Model } from './model.ts'
import type { Excluded, Ranked } from './route.ts'

/** A routing with its models instead of their ids. */
export interface RoutingExplanation {
  chosen: Model | null
  confidence: number
  ranking: (Ranked & { model: Model })[]
  excluded: { model: Model; reasons: { code: string; message: string; until: Date | null }[] }[]
  chain: string[]
}

/** Which model would be chosen now, and why; calls none. BAD_INPUT with every mistake. */
export async function explainRouting(
  services: { database: Database },
  actor: Actor,
  wish: ModelWish,
): Promise<RoutingExplanation> {
  const { routing, models } = await chooseModel(services, actor, wish)
  const modelOf = (id: string): Model => models.get(id) ?? fail('INTERNAL')
  const withDates = ({ id, reasons }: Excluded) => ({
    model: modelOf(id),
    reasons: reasons.map(({ until, ...reason }) => ({
      ...reason,
      until: until === null ? null : new Date(until),
    })),
  })
  return {
    chosen: routing.chosen === null ? null : modelOf(routing.chosen),
    confidence: routing.confidence,
    ranking: routing.ranking.map((each) => ({ ...each, model: modelOf(each.id) })),
    excluded: routing.excluded.map(withDates),
    chain: routing.chain,
  }
}
