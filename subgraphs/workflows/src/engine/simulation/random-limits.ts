import { idOf } from './id-of.ts'
import { KEY } from './people.ts'
import { BEGINNING } from './process.ts'
import type { Random } from './random.ts'
import type { Limit } from './tables.ts'

/** One to three limits, so narrow that they are felt. */
export function randomLimits(random: Random): Limit[] {
  return Array.from({ length: random.whole(1, 3) }, (_, index) => {
    const [scope, subject] = random.pick([
      ['organization', ''],
      ['workflow', idOf('main')],
      ['workflow', idOf('sub')],
      ['agent', idOf('a')],
      ['agent', idOf('a')],
      ['key', KEY],
    ] as const)
    const counts = (scope === 'organization' || scope === 'workflow') && random.chance(0.4) ? 'runs' : 'tasks'
    const isRate = counts === 'tasks' && random.chance(0.3)
    const starts = random.whole(2, 5)
    return {
      id: idOf(`l${index}`),
      scope,
      subject,
      counts,
      max_running: isRate ? null : random.whole(1, 3),
      max_starts: isRate ? starts : null,
      per_seconds: isRate ? random.whole(1, 2) : null,
      tokens: isRate ? starts : 0,
      refilled_at: BEGINNING,
    }
  })
}
