import {
  appendAuditEntry,
  exportRecord,
  openSealer,
  publishCheckpoints,
  recordDenial,
} from '@tutti/governance/domain'
import type { Database } from '@tutti/prisma'
import { openTestDatabase, type TestDatabase } from '@tutti/prisma/testing'
import { createKms } from '@tutti/runtime'
import type { Actor, EventRecord } from '@tutti/schema'
import { verifyRecord } from 'tutti-verify'
import { createPublicKey } from 'node:crypto'
import type pg from 'pg'

/** A database with a record, sealed and signed every 16 entries, and what verifies it. */
export interface RecordWorld extends TestDatabase {
  actor: Actor
  /** Writes so many events, of which every third is an entry of the audit trail. */
  write(count: number, of?: Actor): Promise<void>
  /** Seals all there is, and signs it; the last checkpoint covers what is left over when `all`. */
  seal(all?: boolean): Promise<void>
  /** Checkpoints as they were written outside so far, and the key, as PEM. */
  outside: string[]
  publicKey(): Promise<string>
  /** The export of an organization; through this connection, when one is given. */
  export(of?: Actor, through?: pg.Client): Promise<string[]>
}

const ENTRIES = 16

/** Opens one; disposing drops the database. */
export async function openRecordWorld(): Promise<RecordWorld> {
  const world = await openTestDatabase()
  const { database } = world
  const actor = await world.organization()
  const services = { database, kms: createKms({ secret: world.secret }) }
  const outside: string[] = []
  let written = 0
  return {
    ...world,
    actor,
    outside,
    async write(count, of = actor) {
      for (let index = 0; index < count; index += 1) {
        written += 1
        if (index % 3 === 0) await writeAudit(of, written)
        else
          await database.inTenant(of, (tx) =>
            tx.appendEvent({
              type: 'knowledge.published',
              subject: `article/${written}`,
              data: { articleId: `${written}`, title: `Ünïcode "${written}" \u{1f3b5} ${0.1 * written}` },
            }),
          )
      }
    },
    async seal(all = true) {
      const events = await world.asOwner<EventRecord>(
        `select organization_id as "organizationId", seq::text, id, type, subject, actor, data, time from log.event e order by e.seq`,
      )
      const sealer = openSealer(services, { entries: ENTRIES, ...(all ? { afterMs: 0 } : {}) })
      await sealer.seal(events.map((event) => ({ ...event, seq: BigInt(event.seq) })))
      await sealer.checkpoint()
      await publishCheckpoints(database, async (lines) => void outside.push(...lines.trimEnd().split('\n')))
    },
    async publicKey() {
      const [key] = await world.asOwner<{ pem: string }>('select public_key as pem from log.signing_key')
      if (!key) throw new Error('There is no key.')
      return key.pem
    },
    async export(of = actor, through) {
      const lines: string[] = []
      const { subjectKeys } = database
      const reader: Pick<Database, 'readTenant' | 'subjectKeys'> = through
        ? { subjectKeys, readTenant: async (_, text, values) => (await through.query(text, values)).rows }
        : database
      for await (const line of exportRecord({ database: reader }, of)) lines.push(line.trimEnd())
      return lines
    },
  }

  async function writeAudit(of: Actor, n: number): Promise<void> {
    if (n % 2 === 0) await recordDenial(services, of, { action: `Mutation.m${n}`, reason: `needs ${n}` })
    else
      await appendAuditEntry(services, of, {
        actionType: 'decision',
        domain: 'customer-service',
        summary: `Refunded ${n} EUR`,
        details: {
          decision: 'refund',
          amount: n / 10,
          options_considered: ['refund', 'refuse'],
          9: 1,
          10: 2,
        },
        subject: `ticket/${n}`,
        relatedTasks: n % 4 === 1 ? [] : [`t${n}`],
      })
  }
}

/** Verifies lines against checkpoints. */
export const verify = (lines: readonly string[], checkpoints: readonly string[], pem: string) =>
  verifyRecord(
    (async function* () {
      yield lines
    })(),
    { checkpoints, key: createPublicKey(pem) },
  )
