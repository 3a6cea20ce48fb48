/** `open` → `acknowledged` → `resolved`, or straight to the end; the end is final. */
export type IncidentStatus = 'open' | 'acknowledged' | 'resolved'

/** Whether somebody may still take it on. */
export const canAcknowledge = (status: IncidentStatus): boolean => status === 'open'

/** Whether it is not over yet. */
export const canResolve = (status: IncidentStatus): boolean => status !== 'resolved'
