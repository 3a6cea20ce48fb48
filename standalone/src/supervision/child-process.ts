/**
 * Loaded into every supervised process before its own code (`--import`): when the supervisor is gone, however it went,
 * the channel to it breaks, and the process ends: politely first, then in any case.
 */
const GRACE = 1500

if (process.channel !== undefined && process.channel !== null) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), GRACE).unref()
    process.kill(process.pid, 'SIGTERM')
  })
  // The channel alone must not keep a process alive that has nothing left to do.
  process.channel.unref()
}
