import { loaderOf } from '@tutti/runtime'
import type { Resolvers } from '../../generated/resolvers.ts'
import { referenceTo } from '../extensions/reference.ts'
import { lower, upper } from '../extensions/upper.ts'
import { acknowledgeIncident } from './acknowledge-incident.ts'
import { incidentEvents } from './incident-events.ts'
import { listIncidents } from './list-incidents.ts'
import { loadIncidents } from './load-incidents.ts'
import { loadOpenIncidentsOfTeams } from './load-open-incidents-of-teams.ts'
import { loadTimelines } from './load-timelines.ts'
import { openIncident } from './open-incident.ts'
import { resolveIncident } from './resolve-incident.ts'

export const incidentResolvers = {
  Query: {
    incident: (_, { id }, context) => loaderOf(context, loadIncidents).load(id),
    incidents: (_, { status, ...page }, context) =>
      listIncidents(context, context.actor, { ...page, status: status ? lower(status) : undefined }),
  },
  Mutation: {
    openIncident: async (_, { input }, context) => ({
      incident: await openIncident(context, context.actor, input),
    }),
    acknowledgeIncident: async (_, { input }, context) => ({
      incident: await acknowledgeIncident(context, context.actor, input),
    }),
    resolveIncident: async (_, { input }, context) => ({
      incident: await resolveIncident(context, context.actor, input),
    }),
  },
  Subscription: {
    incidentEvents: {
      subscribe: (_, { after, filter }, context) =>
        incidentEvents(context, { after: after ?? null, severities: filter?.severities ?? null }),
    },
  },
  Incident: {
    __resolveReference: ({ id }, context) => loaderOf(context, loadIncidents).load(id),
    status: ({ status }) => upper(status),
    impact: ({ impact }) => upper(impact),
    workflow: ({ workflowId }) => referenceTo(workflowId),
    team: ({ teamId }) => referenceTo(teamId),
    timeline: async ({ id }, _, context) => (await loaderOf(context, loadTimelines).load(id)) ?? [],
  },
  IncidentEvent: {
    incident: ({ incidentId }, _, context) => loaderOf(context, loadIncidents).load(incidentId),
  },
  Team: {
    openIncidents: async ({ id }, _, context) =>
      (await loaderOf(context, loadOpenIncidentsOfTeams).load(id)) ?? [],
  },
} satisfies Resolvers
