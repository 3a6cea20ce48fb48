import { InputMistake } from './input/input-mistake.ts'
import { PlatformError } from './platform/ask.ts'

/** Every example: its name and how to run it; the result is the exit code. */
const EXAMPLES: Record<string, () => Promise<{ run(args: readonly string[]): Promise<number> }>> = {
  'customer-service': () => import('./customer-service/run.ts'),
  'content-creation': () => import('./content-creation/run.ts'),
  'governed-refund': () => import('./governed-refund/run.ts'),
  'seven-ways': () => import('./seven-ways/run.ts'),
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2)
  const load = EXAMPLES[name]
  if (!load)
    throw new InputMistake(
      `${name ? `There is no example "${name}".` : 'Which example?'} There is: ${Object.keys(EXAMPLES).join(', ')}\n\n  npm run example -- customer-service`,
    )
  return (await load()).run(args)
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof InputMistake) console.error(error.message)
  else if (error instanceof PlatformError)
    console.error(`The platform refused (${error.code}): ${error.message}`)
  else console.error(error)
  process.exitCode = 1
}
