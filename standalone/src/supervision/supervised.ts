/**
 * What a supervisor and its children say to each other. `ready` and `failed` are what the runtime's `runProcess` says by
 * itself.
 */
export type SupervisionMessage =
  | { readonly type: 'begin'; readonly settings: Record<string, string> }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }

/**
 * In a child: waits until the supervisor has everything it needs (a database, migrated), and puts the settings it sends
 * into the environment. Call it after the heavy imports, so that they happen meanwhile. Alone, it returns at once.
 */
export async function untilBegin(): Promise<void> {
  if (process.send === undefined) return
  process.channel?.ref()
  await new Promise<void>((resolve) => {
    const listen = (message: unknown) => {
      const read = readMessage(message)
      if (read?.type !== 'begin') return
      process.off('message', listen)
      Object.assign(process.env, read.settings)
      resolve()
    }
    process.on('message', listen)
  })
  process.channel?.unref()
}

/** The message in what came through the channel, if it is one: libraries use the channel too. */
export function readMessage(message: unknown): SupervisionMessage | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  if (message.type === 'ready') return { type: 'ready' }
  if (message.type === 'failed') {
    return { type: 'failed', message: 'message' in message ? String(message.message) : '' }
  }
  if (message.type !== 'begin' || !('settings' in message)) return undefined
  if (typeof message.settings !== 'object' || message.settings === null) return undefined
  const settings = Object.entries(message.settings).map(([name, value]) => [name, String(value)])
  return { type: 'begin', settings: Object.fromEntries(settings) }
}
