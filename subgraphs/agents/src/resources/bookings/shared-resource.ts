/** A shared resource as it is stored. */
export interface SharedResourceRow {
  id: string
  name: string
  description: string | null
  capacity: number
  contendedAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** The columns of a {@link SharedResourceRow}. */
export const RESOURCE_COLUMNS = `id, name, description, capacity, contended_at as "contendedAt", created_at as "createdAt",
  updated_at as "updatedAt"`
