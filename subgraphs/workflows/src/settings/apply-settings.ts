import { actorRecord, type TenantTransaction } from '@tutti/prisma'
import { type Actor, canonicalJson, fail } from '@tutti/schema'
import type { Services } from '../context.ts'
import { replaceLimits } from '../limits/replace-limits.ts'
import { limitsChanged } from '../limits/limits-changed.ts'
import { limitsOfSettings } from './consequences.ts'
import { engineDefaultsOf } from './engine-defaults.ts'
import { readSettings, type SettingsInForce } from './read-settings.ts'
import type { SettingsProblem } from './settings-problem.ts'

/** What came of a document. */
export interface AppliedSettings {
  version: number
  /** False when what it says is in force already. */
  changed: boolean
  /** What the document itself says, without the parts that stay as they were. */
  said: SettingsInForce
  /** What of it was not taken, and why. */
  notes: readonly { path: string; reason: string }[]
}

/**
 * Puts settings in force, as a new version; a part that the document does not hold stays as it was. INVALID_DOCUMENT
 * lists every mistake with line and column; a security switch that is turned off is one (`cannot_be_turned_off`).
 */
export async function applySettings(
  services: Pick<Services, 'database' | 'wake'>,
  actor: Actor,
  document: string,
): Promise<AppliedSettings> {
  const read = readSettings(document)
  if (!read.ok)
    return fail('INVALID_DOCUMENT', { path: 'input.document', problems: read.problems.map(toProblem) })
  const { database } = services
  const applied = await database.inTenant(actor, (tx) => applyWithin(tx, document, read.settings))
  if (applied.changed) {
    engineDefaultsOf(database).forget()
    await limitsChanged(services, actor)
  }
  return { ...applied, said: read.settings, notes: read.notes }
}

async function applyWithin(
  tx: TenantTransaction,
  document: string,
  said: SettingsInForce,
): Promise<{ version: number; changed: boolean }> {
  const { organizationId } = tx.actor
  // One applier at a time, so that two do not draw the same version.
  await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 0))::text', `${organizationId}/settings`)
  const [latest] = await tx.sql<{ version: number; inForce: SettingsInForce }>(
    `select version, in_force as "inForce" from engine_settings where organization_id = $1::uuid
     order by version desc limit 1`,
    organizationId,
  )
  const inForce = { ...latest?.inForce, ...said }
  if (latest && canonicalJson(latest.inForce) === canonicalJson(inForce))
    return { version: latest.version, changed: false }
  const version = (latest?.version ?? 0) + 1
  const { id } = await tx.db.engineSettings.create({
    data: {
      organizationId,
      version,
      document,
      inForce: JSON.parse(JSON.stringify(inForce)),
      appliedBy: actorRecord(tx.actor),
    },
  })
  await replaceLimits(tx, { source: 'settings' }, limitsOfSettings(inForce))
  const parts = Object.keys(said)
  await tx.appendEvent({ type: 'settings.applied', subject: `settings/${id}`, data: { version, parts } })
  return { version, changed: true }
}

const toProblem = ({ line, column, ...problem }: SettingsProblem) => ({
  ...problem,
  ...(line === null ? {} : { line }),
  ...(column === null ? {} : { column }),
})
