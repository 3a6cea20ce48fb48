export { Prisma } from '../generated/client.ts'
export { startAnnouncer } from './log/announcer.ts'
export { actorRecord, eventActor } from './log/append-events.ts'
export { type EventFilter, openTail, type Tail } from './log/open-tail.ts'
export { CALLS_PER_MINUTE, takeCall } from './limits/take-call.ts'
export { migrate, type MigrateOptions } from './migration/migrate.ts'
export { type Data, openData } from './open-data.ts'
export {
  STORED_KEY_COLUMNS,
  type StoredKey,
  type SubjectKey,
  type SubjectKeys,
} from './subjects/subject-keys.ts'
export { loadNames } from './subjects/load-names.ts'
export { DATABASE_ROLES, type DatabaseRole, rolePassword, roleUrl } from './roles.ts'
export {
  type Database,
  type DatabaseOptions,
  openDatabase,
  type SqlTransaction,
  type TenantClient,
  type TenantTransaction,
} from './tenancy/open-database.ts'
