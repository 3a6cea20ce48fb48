import { afterAll, expect, test } from 'vitest'
import { rmSync } from 'node:fs'
import { runsOnRedis } from '../flows/redis-server.ts'
import { type Figure, holds } from './judge.ts'
import { QUICK } from './plan-chaos.ts'
import { runChaos } from './run-chaos.ts'

const AMOUNT = { ...QUICK, runs: 60, kills: 3, gap: [500, 1_200] as const }
const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/** Times say something about this machine while others test on it; `npm run chaos` bounds them. */
const isTime = ({ unit }: Figure): boolean => unit === 's'

test('nothing is lost, done twice or written late while everything breaks', async () => {
  const said: string[] = []
  const { figures, directory } = await runChaos({
    backend: runsOnRedis ? 'redis' : 'postgres',
    seed: 20_261_121,
    amount: AMOUNT,
    say: (line) => said.push(line),
  })
  directories.push(directory)
  expect(
    figures.filter((figure) => !isTime(figure) && !holds(figure)),
    said.join('\n'),
  ).toEqual([])
  const injected = figures.filter(({ name }) => name.startsWith('fault: '))
  expect(injected.map(({ name }) => name)).toEqual(expect.arrayContaining(['fault: kill', 'fault: crash']))
}, 180_000)
