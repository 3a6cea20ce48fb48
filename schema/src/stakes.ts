/** How much may go wrong, from least to most. */
export const RISKS = ['low', 'medium', 'high', 'critical'] as const
export type Risk = (typeof RISKS)[number]

/** Who may see it, from everybody to few. */
export const CLASSIFICATIONS = ['public', 'internal', 'sensitive'] as const
export type Classification = (typeof CLASSIFICATIONS)[number]
