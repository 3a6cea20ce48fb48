import { createPostgresBackend, Queue, Worker, withBackend } from 'bullmq'
import { Redis } from 'ioredis'

/** Jobs a second through a bare BullMQ, no-op processor, 64 at once. */
export async function rawBullmq(
  target: { redisUrl: string } | { postgresUrl: string },
  jobs: number,
): Promise<number> {
  const name = `bench-${Date.now()}`
  let left = jobs
  let done: () => void = () => undefined
  const all = new Promise<void>((resolve) => (done = resolve))
  const process = async (): Promise<void> => {
    if (--left === 0) done()
  }
  const opened =
    'redisUrl' in target
      ? onRedis(target.redisUrl, name, process)
      : onPostgres(target.postgresUrl, name, process)
  await opened.worker.waitUntilReady()
  const data = Array.from({ length: 500 }, () => ({
    name: 'noop',
    data: {},
    opts: { removeOnComplete: true },
  }))
  const begun = performance.now()
  for (let added = 0; added < jobs; added += data.length) await opened.queue.addBulk(data)
  await all
  const seconds = (performance.now() - begun) / 1000
  await opened.worker.close()
  await opened.queue.close()
  opened.end()
  return jobs / seconds
}

function onRedis(url: string, name: string, process: () => Promise<void>) {
  const connections = [new Redis(url), new Redis(url, { maxRetriesPerRequest: null })] as const
  const queue = new Queue(name, { connection: connections[0] })
  const worker = new Worker(name, process, { connection: connections[1], concurrency: 64 })
  const end = (): void => {
    for (const connection of connections) connection.disconnect()
  }
  return { queue, worker, end }
}

function onPostgres(url: string, name: string, process: () => Promise<void>) {
  const backend = withBackend(createPostgresBackend)
  const connection = { connectionString: url, schema: 'bench_queue', migrate: true, max: 10 }
  const queue = new backend.Queue(name, { connection })
  const worker = new backend.Worker(name, process, { connection, concurrency: 64 })
  return { queue, worker, end: () => undefined }
}
