/** Something of another subgraph, by its id alone. */
export interface Reference {
  id: string
}

/** The reference to an id; null stays null. */
export const referenceTo = (id: string | null): Reference | null => (id === null ? null : { id })
