import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Platform, startPlatform } from './platform.ts'
import { runExample } from './run-example.ts'

const cleanup = new AsyncDisposableStack()
let platform: Platform
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tutti-report-'))
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }))
  platform = cleanup.use(
    await startPlatform('standalone', {
      environment: { TUTTI_ALLOW_LOCAL_AGENTS: 'true', TUTTI_CHECKPOINT_SECONDS: '1' },
    }),
  )
})
afterAll(() => cleanup.disposeAsync())

const TOLD = [
  'written by Ines Ferrari, put into force by Ben Carter.',
  'R-1001/',
  'Dan Osei for Ada Lindqvist says yes',
  'Asked: 1 of approver, admin, then 1 of group refund_finance.',
  'Refused: decideApproval by Cleo Martin, NOT_A_DECIDER.',
  'Cleo Martin says yes',
  'Nobody decided in time: it goes up to level person',
  'Refused: decideApproval by key of refund_agent, SEPARATION_OF_DUTIES',
  'Refused: resubmitApproval by Olga Nyberg, CONFLICT',
  'Refused: decideApproval by Ada Lindqvist, CONFLICT',
  'Nothing paid: ACTION_REJECTED',
  '6 refunds were paid, each once; 1 was not.',
  '  Verified: organization',
]

it('tells who asked, who decided, by which rule and what came of it, and proves its record; twice on one platform', async () => {
  const file = join(directory, 'report.txt')
  for (const time of [1, 2]) {
    const { exitCode, said } = await runExample(
      platform,
      'governed-refund',
      '--report',
      file,
      '--deadline',
      '2s',
      '--out',
      join(directory, `record-${time}`),
    )
    expect(exitCode, said).toBe(0)
    const report = readFileSync(file, 'utf8')
    expect(report).toMatch(
      /became \d+ in entry (\d+)\):\n  entry_altered at \1: .*\n  NOT VERIFIED: organization/,
    )
    for (const line of TOLD) expect(report, `time ${time}`).toContain(line)
  }
  const paid = await platform.sql(
    `select state->'payment'->>'paid' as paid from run where status = 'completed' order by id`,
  )
  expect(paid).toHaveLength(12)
  expect(
    await platform.sql(
      `select k.id from api_key k join principal p on p.organization_id = k.organization_id and p.id = k.principal_id
       where p.name in ('Ada Lindqvist', 'Ines Ferrari', 'key of refund_agent') and k.revoked_at is null`,
    ),
  ).toEqual([])
}, 150_000)
