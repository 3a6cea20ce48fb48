// A thread that plays what it is told to: see play-seeds.ts.
import { parentPort } from 'node:worker_threads'
import { BUGS } from './bugs.ts'
import type { Job, Played } from './play-seeds.ts'
import { simulate } from './simulate.ts'

const port = parentPort
if (!port) throw new Error('This is the file of a thread.')

port.on('message', (job: Job) => port.postMessage(play(job)))

function play({ from, to, bug, isMended }: Job): Played {
  const planted = BUGS.find(({ name }) => name === bug)
  if (bug !== undefined && !planted) throw new Error(`No bug is called "${bug}".`)
  const options = isMended ? { mood: planted?.mood ?? {} } : planted
  const counts = new Map<string, number>()
  for (let seed = from; seed < to; seed += 1) {
    const { violation, counts: of } = simulate(seed, options)
    for (const [what, count] of of) counts.set(what, (counts.get(what) ?? 0) + count)
    if (violation) return { seeds: seed + 1 - from, counts, broken: { seed, ...violation } }
  }
  return { seeds: to - from, counts }
}
