/** Who acts in events that a worker writes. */
export const WORKER_ACTOR = { id: 'system:worker', kind: 'system', name: 'worker' } as const
