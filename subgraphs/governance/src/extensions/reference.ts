/** An entity of another subgraph, or one known by its id alone. */
export interface Reference {
  id: string
}

/** The reference of an id that may be absent. */
export const referenceTo = (id: string | null): Reference | null => (id === null ? null : { id })
