import type { Scope } from './roles.ts'

/** Scopes whose mutations are of no action of the catalogue, and why, in a line each. */
export const UNGOVERNED_SCOPES: Partial<Record<Scope, string>> = {
  'board:work': 'Does work that was given out; a governed step is asked about before it is.',
  'runs:report': 'Says how work goes that was given out.',
  'resources:use': 'Gives back, or keeps, what one was given.',
  'messages:receive': 'Reads and answers what one was sent.',
  'events:publish': 'Says that something happened; what follows is what a trigger was set for.',
  'approvals:request': 'Asks, and uses what was said yes to; whoever is asked decides.',
  'approvals:decide': 'The approval says who decides it.',
  'escalations:handle': 'Levels and on-call schedules say who answers.',
  'audit:write': 'Only adds to the record.',
  'quality:write': 'Says how good something was.',
}

/** Other mutations that are of no action of the catalogue, and why. */
export const UNGOVERNED_MUTATIONS: Readonly<Record<string, string>> = {
  breakGlass: 'In an emergency nobody is asked: it opens an incident, and somebody else reviews it.',
  reviewBreakGlass: 'Says what somebody found afterwards.',
  cancelAuditExport: 'Gives nothing out.',
  declareValue: 'Says what a run was worth.',
  testRun: 'Nothing is really done: agents are stood in for.',
}
