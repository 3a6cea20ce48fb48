// Runs turbo with its telemetry, its update notice and its remote cache off, whatever the machine's settings are.
import { spawnSync } from 'node:child_process'

const result = spawnSync('turbo', process.argv.slice(2), {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: {
    ...process.env,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    TURBO_CACHE: 'local:rw',
  },
})
if (result.error) throw result.error
process.exitCode = result.status ?? 1
