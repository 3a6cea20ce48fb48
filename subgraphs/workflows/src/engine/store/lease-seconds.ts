/** Seconds a claim holds without renewal, on the database's clock. */
export const LEASE_SECONDS = 5
