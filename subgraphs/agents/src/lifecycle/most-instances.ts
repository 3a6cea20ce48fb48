/** Instances an agent may have. */
export const MOST_INSTANCES = 50
