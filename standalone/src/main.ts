import { keepCompiledCode } from './keep-compiled-code.ts'

keepCompiledCode()

// Loaded only now, so that they come from the cache.
const { readEnvironment, standaloneEnvironment } = await import('./environment.ts')
const { runInForeground } = await import('./run-in-foreground.ts')
const { standalonePlan } = await import('./standalone-plan.ts')
const { startTutti } = await import('./start-tutti.ts')

await runInForeground(async (log) => startTutti(standalonePlan(readEnvironment(standaloneEnvironment)), log))
