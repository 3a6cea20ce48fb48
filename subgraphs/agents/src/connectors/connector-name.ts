import { z } from 'zod'

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/

/** Whether a text can be the name of a connector. */
export const isConnectorName = (text: string): boolean => NAME.test(text)

/** A connector's name, as configurations say it and as it stands in the types of its events. */
export const connectorName = z
  .string()
  .refine(isConnectorName, 'Small letters, digits and _ - only, at most 63, as instagram.')
