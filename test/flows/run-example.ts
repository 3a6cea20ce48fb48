import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Platform } from './platform.ts'

const NEEDS_ADMIN = ['governed-refund', 'seven-ways']
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs `npm run example -- <example> ...` as a process of its own, as its reader would. */
export async function runExample(
  platform: Platform,
  example: 'customer-service' | 'content-creation' | 'governed-refund' | 'seven-ways',
  ...options: string[]
): Promise<{ exitCode: number; said: string }> {
  const { key } = platform.as(NEEDS_ADMIN.includes(example) ? 'admin' : 'operator')
  const args = ['examples/run.ts', example, '--url', platform.url, '--key', key ?? '', ...options]
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, TUTTI_DIRECTORY: platform.directory, TUTTI_SECRET: platform.secret },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { exitCode: code ?? -1, said }
}
