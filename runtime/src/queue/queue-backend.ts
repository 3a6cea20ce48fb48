import {
  createPostgresBackend,
  type JobsOptions,
  type Processor,
  Queue,
  Worker,
  type WorkerOptions,
  withBackend,
} from 'bullmq'

export interface QueueConnection {
  /** Redis or Valkey; must be `noeviction`. */
  redisUrl?: string | undefined
  /** PostgreSQL as the role `queue`; used when there is no Redis. */
  postgresUrl: string
}

type Limits = Pick<WorkerOptions, 'lockDuration' | 'stalledInterval' | 'maxStalledCount'>

/** What we use of BullMQ's queue, whose type differs by store. */
export interface QueueHandle {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<void>
}

/** What we use of BullMQ's worker. */
export interface WorkerHandle {
  on(event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

/** The two BullMQ classes we use, over whichever store. */
export interface QueueBackend {
  queue(name: string): QueueHandle
  worker(name: string, processor: Processor, limits: Limits): WorkerHandle
  close(): Promise<void>
}

/** Redis when it has a URL, else PostgreSQL with tables in the schema `queue`. */
export async function openQueueBackend({ redisUrl, postgresUrl }: QueueConnection): Promise<QueueBackend> {
  if (redisUrl) return redisBackend(redisUrl)
  return postgresBackend(postgresUrl)
}

async function redisBackend(url: string): Promise<QueueBackend> {
  const { Redis } = await import('ioredis')
  const connections: InstanceType<typeof Redis>[] = []
  // Workers block on their connection and must retry for ever; queues must not hold a request hostage.
  const connect = (maxRetriesPerRequest: number | null): InstanceType<typeof Redis> => {
    const connection = new Redis(url, { maxRetriesPerRequest })
    connection.on('error', () => undefined) // BullMQ reports it; without a listener ioredis prints
    connections.push(connection)
    return connection
  }
  return {
    queue: (name) => new Queue(name, { connection: connect(3) }),
    worker: (name, processor, limits) =>
      new Worker(name, processor, { connection: connect(null), ...limits }),
    async close() {
      for (const connection of connections) connection.disconnect()
    },
  }
}

async function postgresBackend(url: string): Promise<QueueBackend> {
  const postgres = withBackend(createPostgresBackend)
  const connection = { connectionString: url, schema: 'queue', migrate: true, max: 2 }
  return {
    queue: (name) => new postgres.Queue(name, { connection }),
    worker: (name, processor, limits) => new postgres.Worker(name, processor, { connection, ...limits }),
    async close() {},
  }
}
