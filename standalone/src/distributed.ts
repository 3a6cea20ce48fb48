import { keepCompiledCode } from './keep-compiled-code.ts'

keepCompiledCode()

// Loaded only now, so that they come from the cache.
const { distributedEnvironment, readEnvironment } = await import('./environment.ts')
const { distributedPlan } = await import('./distributed-plan.ts')
const { runInForeground } = await import('./run-in-foreground.ts')
const { startTutti } = await import('./start-tutti.ts')

await runInForeground(async (log) =>
  startTutti(await distributedPlan(readEnvironment(distributedEnvironment)), log),
)
