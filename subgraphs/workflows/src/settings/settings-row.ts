import type { SettingsInForce } from './read-settings.ts'

/** One version of the settings. */
export interface SettingsRow {
  id: string
  version: number
  document: string
  inForce: SettingsInForce
  appliedBy: { id: string; kind: string; name: string }
  appliedAt: Date
  /** The organization's. */
  timeZone: string
}

/** Columns of a {@link SettingsRow}, of `engine_settings s`. */
export const SETTINGS_COLUMNS = `s.id, s.version, s.document, s.in_force as "inForce", s.applied_by as "appliedBy",
  s.applied_at as "appliedAt", coalesce((select o.time_zone from organization o
    where o.organization_id = s.organization_id), 'UTC') as "timeZone"`
