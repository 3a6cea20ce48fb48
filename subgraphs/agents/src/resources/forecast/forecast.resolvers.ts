import type { Resolvers } from '../../../generated/resolvers.ts'
import { forecastLoad } from './forecast-load.ts'

export const forecastResolvers: Resolvers = {
  Query: { forecastLoad: (_, request, context) => forecastLoad(context, request) },
}
