import { type ChildProcess, fork } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { lastWords } from './last-words.ts'
import type { SupervisionMessage } from './supervision/supervised.ts'

const PRELOAD = pathToFileURL(join(import.meta.dirname, 'supervision/child-process.ts')).href

/** A process that does one thing, answers with one message and ends. */
export interface OneTask {
  /** What it answered; rejects with what it said on standard error when it ended without an answer. */
  readonly answer: Promise<unknown>
  /** Ends it at once. */
  kill(): void
}

/**
 * Runs `entry` in a process of its own, so that the memory of what it loads goes away with it. `settings` is sent to it
 * when known (`untilBegin` there waits for it).
 */
export function runOnce(
  entry: string,
  options: { settings: Promise<Record<string, string>>; execArgv?: readonly string[] },
): OneTask {
  const child: ChildProcess = fork(entry, {
    detached: true,
    execArgv: ['--import', PRELOAD, ...(options.execArgv ?? [])],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  void options.settings.then(
    (settings) => {
      if (child.connected) child.send({ type: 'begin', settings } satisfies SupervisionMessage, () => {})
    },
    () => child.kill('SIGKILL'),
  )
  const answer = new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve)
    child.once('error', reject)
    child.once('close', (code, signal) =>
      reject(new Error(lastWords(said) || `it ended (${signal ?? code})`)),
    )
  })
  answer.catch(() => {})
  return { answer, kill: () => void child.kill('SIGKILL') }
}
