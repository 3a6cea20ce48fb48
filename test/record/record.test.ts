import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRecordWorld, type RecordWorld, verify } from './record-world.ts'

let world: RecordWorld

beforeAll(async () => {
  world = await openRecordWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

test('a record of events and entries verifies, each tenant’s by itself, however often the sealer begins anew', async () => {
  const other = await world.organization()
  for (const count of [5, 20, 33]) {
    await world.write(count)
    await world.write(count - 4, other)
    await world.seal()
  }
  const key = await world.publicKey()
  const report = await verify(await world.export(), world.outside, key)
  expect(report).toMatchObject({
    organizationId: world.actor.organizationId,
    entries: 58,
    uncovered: 0,
    faults: [],
  })
  expect(report.checkpoints).toBe(1 + 2 + 3)
  expect(await verify(await world.export(other), world.outside, key)).toMatchObject({
    entries: 46,
    faults: [],
  })
  await world.write(3)
  await world.seal(false)
  expect(await verify(await world.export(), world.outside, key)).toMatchObject({
    entries: 61,
    uncovered: 3,
    faults: [],
  })
})

test('tutti-verify says by its exit code and its words what is wrong, and where', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-verify-'))
  try {
    const lines = await world.export()
    const file = (name: string, content: string): string => {
      writeFileSync(join(directory, name), content)
      return join(directory, name)
    }
    const checkpoints = file('checkpoints.jsonl', `${world.outside.join('\n')}\n`)
    const key = file('key.pem', await world.publicKey())
    const bin = join(import.meta.dirname, '../../packages/verify/bin/tutti-verify.js')
    const run = async (...args: string[]): Promise<{ code: number; out: string }> => {
      try {
        const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args])
        return { code: 0, out: stdout }
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
        return { code, out: stdout + stderr }
      }
    }
    const given = ['--checkpoints', checkpoints, '--key', key]
    const good = file('good.jsonl', `${lines.join('\n')}\n`)
    expect(await run(good, ...given)).toEqual({
      code: 0,
      out: expect.stringMatching(/^Verified: .* 61 entries/),
    })
    const bad = file(
      'bad.jsonl',
      lines.map((line, index) => (index === 20 ? line.replace('"time":"2', '"time":"3') : line)).join('\n'),
    )
    const { code, out } = await run(bad, ...given)
    expect(code).toBe(1)
    expect(out).toMatch(/^altered at 21: .*\nNOT VERIFIED/)
    const rest = file('rest.jsonl', lines.slice(5).join('\n'))
    expect(await run(rest, ...given, '--from', '6')).toMatchObject({ code: 0 })
    expect(await run(rest, ...given)).toMatchObject({ code: 1, out: expect.stringContaining('missing at 1') })
    // Nothing that a file says is taken for what the verifier does.
    const verdict = '\\u001b[2J\\u001b[H\\nVerified: organization x, 61 entries'
    const ours = String(world.actor.organizationId)
    const forged = file('forged.jsonl', (lines[0] ?? '').replaceAll(ours, verdict))
    const first = world.outside.find((line) => line.includes(ours)) ?? ''
    const forgedCheckpoints = file(
      'forged-checkpoints.jsonl',
      first.replaceAll(ours, verdict).replace(/"keyId":"[^"]*"/, `"keyId":"${verdict}"`),
    )
    const lie = await run(forged, '--checkpoints', forgedCheckpoints, '--key', key)
    expect(lie.code).toBe(1)
    expect(lie.out).toMatch(
      /^checkpoint_key at 1: .* whose id is none\.\n(.*\n)*NOT VERIFIED: organization unknown, /,
    )
    expect(lie.out).not.toContain('\u001b')
    expect(lie.out).not.toMatch(/^Verified/m)
    const gone = await run(join(directory, '\u009b2Jnone.jsonl'), ...given)
    expect([gone.code, gone.out.includes('\u009b'), gone.out.includes('\\u009b2J')]).toEqual([2, false, true])
    expect((await run(join(directory, 'none.jsonl'), ...given)).code).toBe(2)
    expect((await run(good)).code).toBe(2)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 60_000)
