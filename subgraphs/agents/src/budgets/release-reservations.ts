import type { Database } from '@tutti/prisma'

/** Lets go reservations of every tenant whose leases are over: of calls whose process was lost. Answers with how many. */
export async function releaseReservations({ database }: { database: Database }): Promise<number> {
  let released = 0
  for (;;) {
    // Each by itself: what one holds is locked in the order that all keep to, what several hold is not.
    const { rows } = await database
      .pool('worker')
      .query<{ released: boolean }>('select tutti_release_reservation() as released')
    if (!rows[0]?.released) return released
    released += 1
  }
}
