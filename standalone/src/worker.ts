// Loaded before there is a database, so that it is there when there is one.
import '@tutti/workers'
import { untilBegin } from './supervision/supervised.ts'

await untilBegin()
await import('@tutti/workers/main')
