import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { type BenchContext, median } from '../bench.ts'
import { type EngineWorld, startEngineWorld, STEPS } from './engine-world.ts'

const RUNS = 3_000
const ROUNDS = { quick: 2, full: 6 }
const LOOK_MS = 100
/** As startConsumer has it: whoever holds this lock seals, in whatever process. */
const LOCK = `hashtextextended('seal-events', 7)`

/**
 * What the engine does in a second with the sealer at work and without, in turns on one database, and how far the sealer
 * was behind at full speed: `engine_ratio` (with over without), `lag_max` (seconds that the oldest event waited).
 */
export async function measureSealer(context: BenchContext): Promise<void> {
  await using world = await startEngineWorld()
  await using sealing = await openSwitch(world)
  await world.run(200) // plans, caches and the JIT are warm in production
  const speeds = { on: new Array<number>(), off: new Array<number>() }
  const lags: number[] = []
  const rounds = context.quick ? ROUNDS.quick : ROUNDS.full
  for (let round = 0; round < rounds; round += 1) {
    for (const state of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
      await sealing.turn(state)
      const looking = state === 'on' ? sealing.watch() : undefined
      const begun = performance.now()
      await world.run(RUNS)
      speeds[state].push((RUNS * STEPS) / ((performance.now() - begun) / 1_000))
      if (looking) lags.push(await looking())
    }
  }
  const report = (metric: string, value: number, unit: string): void =>
    context.report({ case: 'tutti-postgres', metric, value, unit })
  report('engine_with_sealer', median(speeds.on), 'steps/s')
  report('engine_without_sealer', median(speeds.off), 'steps/s')
  report('engine_ratio', median(speeds.on) / median(speeds.off), '1')
  report('lag_max', Math.max(...lags), 's')
}

interface SealerSwitch extends AsyncDisposable {
  /** Resolves when nobody seals, or when all is sealed and somebody does. */
  turn(state: 'on' | 'off'): Promise<void>
  /** Looks how far behind the sealer is, until told to stop: then until all is sealed. Answers with the most, in seconds. */
  watch(): () => Promise<number>
}

/** Turns the sealer off by holding its lock: the product has no switch for it. */
async function openSwitch({ url, actor }: EngineWorld): Promise<SealerSwitch> {
  const [holder, eyes] = [new pg.Client({ connectionString: url }), new pg.Client({ connectionString: url })]
  await Promise.all([holder.connect(), eyes.connect()])
  let state = 'on'

  const lag = async (): Promise<number> => {
    const { rows } = await eyes.query<{ lag: number }>(
      `select extract(epoch from clock_timestamp() - time)::float8 as lag from log.event
       where organization_id = $1 and seq > coalesce((select event_seq from audit_seal where organization_id = $1
         order by sequence desc limit 1), 0) order by seq limit 1`,
      [actor.organizationId],
    )
    return rows[0]?.lag ?? 0
  }
  const untilSealed = async (): Promise<void> => {
    while ((await lag()) > 0) await pause(LOOK_MS)
  }

  return {
    async turn(wanted) {
      if (wanted === 'off' && state === 'on') {
        await untilSealed()
        const taken = holder.query(`select pg_advisory_lock(${LOCK})`)
        await eyes.query(
          `select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.granted
           and (l.classid::bigint << 32 | l.objid::bigint) = ${LOCK}`,
        )
        await taken
      }
      if (wanted === 'on' && state === 'off') await holder.query(`select pg_advisory_unlock(${LOCK})`)
      state = wanted
      if (wanted === 'on') await untilSealed()
    },
    watch() {
      const stop = new AbortController()
      let most = 0
      const looking = (async () => {
        while (!stop.signal.aborted) {
          most = Math.max(most, await lag())
          await pause(LOOK_MS)
        }
      })()
      return async () => {
        stop.abort()
        await looking
        for (let now = await lag(); now > 0; now = await lag()) {
          most = Math.max(most, now)
          await pause(LOOK_MS)
        }
        return most
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([holder.end(), eyes.end()])
    },
  }
}
