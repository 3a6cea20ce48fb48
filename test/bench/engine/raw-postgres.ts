import pg from 'pg'

const SETUP = `drop table if exists bench_step;
  create table bench_step (id bigint generated always as identity primary key, run int, body jsonb)`

const BODY = JSON.stringify({ output: null, at: 'a step records about this much', tenant: '0'.repeat(64) })

/** Steps a second when each is one insert and one commit, over ten connections: what "a commit a step" costs. */
export async function rawCommits(
  url: string,
  steps: number,
): Promise<{ throughput: number; latency: number[] }> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(SETUP)
  const insert = { name: 'raw', text: 'insert into bench_step (run, body) values ($1, $2)' }
  const latency: number[] = []
  for (let run = 0; run < 200; run++) {
    const begun = performance.now()
    for (let step = 0; step < 5; step++) await pool.query({ ...insert, values: [run, BODY] })
    latency.push(performance.now() - begun)
  }
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let step = 0; step < steps / 10; step++) await pool.query({ ...insert, values: [step, BODY] })
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  await pool.end()
  return { throughput: steps / seconds, latency }
}

/** Steps a second when 200 share a statement and a commit, over two connections: the room there is. */
export async function rawBatches(url: string, steps: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  await pool.query(SETUP)
  const size = 200
  const runs = Array.from({ length: size }, (_, index) => index)
  const bodies = runs.map(() => BODY)
  const text = 'insert into bench_step (run, body) select * from unnest($1::int[], $2::jsonb[])'
  const begun = performance.now()
  await Promise.all(
    [0, 1].map(async () => {
      for (let done = 0; done < steps / 2; done += size)
        await pool.query({ name: 'batch', text, values: [runs, bodies] })
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  await pool.end()
  return steps / seconds
}
