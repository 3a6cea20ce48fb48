import type pg from 'pg'

/** Waits until somebody in this client's database waits for a lock: of this client, which is in a transaction. */
export async function untilBlocked(client: pg.Client): Promise<void> {
  for (let blocked = 0; blocked === 0;) {
    // In a transaction the activity is otherwise that of the first look.
    await client.query('select pg_stat_clear_snapshot()')
    const { rowCount } = await client.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
    blocked = rowCount ?? 0
  }
}
