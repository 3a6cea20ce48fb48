/** `open` → `acknowledged` → `resolved`, or straight to the end; the end is final. */
export type EscalationStatus = 'open' | 'acknowledged' | 'resolved'

/** Whether somebody may still take it on. */
export const canAcknowledge = (status: EscalationStatus): boolean => status === 'open'

/** Whether it is not settled yet. */
export const canResolve = (status: EscalationStatus): boolean => status !== 'resolved'
