import { randomBytes } from 'node:crypto'
import type { Kms } from '@tutti/runtime/secrets'
import { type Actor, fail } from '@tutti/schema'
import type pg from 'pg'

/** What personal data about one subject is encrypted under, 32 bytes. */
export interface SubjectKey {
  id: string
  key: Buffer
}

/** A key as the table `subject_key` has it; without `wrapped` it was destroyed. */
export interface StoredKey {
  id: string
  masterKey: string
  wrapped: Buffer | null
}

/** The columns of {@link StoredKey}. */
export const STORED_KEY_COLUMNS = 'id, master_key as "masterKey", wrapped'

/** Keys of those whom data is about: when one is destroyed, what is under it is gone, also from backups. */
export interface SubjectKeys {
  /**
   * The key of a subject, made when it has none, committed before it is used whatever becomes of the caller's transaction.
   * Kept in memory for at most a second: what another process destroyed is not used for longer.
   */
  of(actor: Actor, subject: string): Promise<SubjectKey>
  /** Opens keys; those that were destroyed are left out. Throws MasterKeyMissing. */
  open(actor: Actor, keys: readonly StoredKey[]): Promise<ReadonlyMap<string, Buffer>>
  /** Wraps the tenant's keys with the current master key where another one does; answers with how many. */
  rewrap(actor: Actor): Promise<number>
  /** Takes a subject's key out of memory. */
  forget(actor: Actor, subject: string): void
}

type Transact = <T>(actor: Actor, work: (client: pg.PoolClient) => Promise<T>) => Promise<T>

const TRUST_MS = 1_000
const KNOWN = 1_000
const KEY_BYTES = 32
/** Somebody may destroy what was just made. */
const ATTEMPTS = 3

const boundTo = (organizationId: string, id: string): string[] => ['subject key', organizationId, id]

/** Opens them; `transact` needs connections that nobody holds who waits for a key. */
export function openSubjectKeys(transact: Transact, kms: Kms): SubjectKeys {
  const known = new Map<string, { key: Promise<SubjectKey>; until: number }>()

  async function unwrap(actor: Actor, { id, masterKey, wrapped }: StoredKey): Promise<Buffer | undefined> {
    return wrapped === null
      ? undefined
      : kms.unwrap({ masterKey, wrapped }, boundTo(actor.organizationId, id))
  }

  async function read(actor: Actor, subject: string): Promise<SubjectKey | undefined> {
    const [row] = await transact(actor, async (client) => {
      const { rows } = await client.query<StoredKey>({
        name: 'subject-key',
        text: `select ${STORED_KEY_COLUMNS} from subject_key
          where organization_id = $1 and subject = $2 and erased_at is null`,
        values: [actor.organizationId, subject],
      })
      return rows
    })
    const key = row && (await unwrap(actor, row))
    return row && key && { id: row.id, key }
  }

  /** Of two that make it at once, both take the first one's. */
  async function make(actor: Actor, subject: string): Promise<void> {
    await transact(actor, async (client) => {
      const { rows } = await client.query<{ id: string }>('select uuidv7() as id')
      const id = rows[0]?.id ?? fail('INTERNAL', { message: 'A select answered with no row.' })
      const { masterKey, wrapped } = await kms.wrap(randomBytes(KEY_BYTES), boundTo(actor.organizationId, id))
      await client.query(
        `insert into subject_key (organization_id, id, subject, master_key, wrapped) values ($1, $2, $3, $4, $5)
         on conflict (organization_id, subject) where erased_at is null do nothing`,
        [actor.organizationId, id, subject, masterKey, wrapped],
      )
    })
  }

  async function readOrMake(actor: Actor, subject: string): Promise<SubjectKey> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const key = await read(actor, subject)
      if (key) return key
      await make(actor, subject)
    }
    return (
      (await read(actor, subject)) ?? fail('CONFLICT', { hint: 'Its key was just destroyed; try again.' })
    )
  }

  const placeOf = ({ organizationId }: Actor, subject: string): string => `${organizationId} ${subject}`

  return {
    of(actor, subject) {
      const place = placeOf(actor, subject)
      const before = known.get(place)
      if (before && before.until > performance.now()) return before.key
      // What is no longer trusted is not kept either.
      for (const [other, { until }] of known) if (until <= performance.now()) known.delete(other)
      if (known.size > KNOWN) known.clear()
      const key = readOrMake(actor, subject)
      known.set(place, { key, until: performance.now() + TRUST_MS })
      key.catch(() => known.delete(place))
      return key
    },
    async open(actor, keys) {
      const opened = new Map<string, Buffer>()
      for (const stored of keys) {
        const key = await unwrap(actor, stored)
        if (key) opened.set(stored.id, key)
      }
      return opened
    },
    rewrap: (actor) =>
      transact(actor, async (client) => {
        const { rows } = await client.query<StoredKey>(
          `select ${STORED_KEY_COLUMNS} from subject_key
           where organization_id = $1 and wrapped is not null and master_key <> $2 order by id for update`,
          [actor.organizationId, kms.current],
        )
        for (const row of rows) {
          const key = await unwrap(actor, row)
          if (!key) continue
          const { masterKey, wrapped } = await kms.wrap(key, boundTo(actor.organizationId, row.id))
          await client.query(
            'update subject_key set master_key = $3, wrapped = $4 where organization_id = $1 and id = $2',
            [actor.organizationId, row.id, masterKey, wrapped],
          )
        }
        return rows.length
      }),
    forget: (actor, subject) => void known.delete(placeOf(actor, subject)),
  }
}
