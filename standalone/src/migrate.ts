import { bootstrapDevelopment } from '@tutti/governance/domain'
import { migrate, openDatabase } from '@tutti/prisma'
import { commonEnv, createLog, readEnv } from '@tutti/runtime'
import { z } from 'zod'

// A job that runs once before the other processes of an installation: migrates, and with TUTTI_DEVELOPMENT=true makes the
// development organization and prints its keys on the run that made them.
const log = createLog('migrate')
try {
  const { DATABASE_URL, TUTTI_SECRET, TUTTI_DEVELOPMENT } = readEnv({
    DATABASE_URL: commonEnv.DATABASE_URL,
    TUTTI_SECRET: commonEnv.TUTTI_SECRET,
    TUTTI_DEVELOPMENT: z.stringbool().default(false),
  })
  const applied = await migrate({ url: DATABASE_URL, secret: TUTTI_SECRET })
  log.info({ applied }, 'the database is up to date')
  if (TUTTI_DEVELOPMENT) {
    await using database = openDatabase({ url: DATABASE_URL, secret: TUTTI_SECRET })
    const { keys } = await bootstrapDevelopment({ database })
    if (keys === undefined)
      process.stdout.write('The development organization exists; its keys were printed when it was made.\n')
    for (const [role, key] of Object.entries(keys ?? {})) process.stdout.write(`${role.padEnd(10)} ${key}\n`)
  }
} catch (error) {
  log.fatal({ err: error }, 'could not migrate')
  process.exitCode = 1
}
