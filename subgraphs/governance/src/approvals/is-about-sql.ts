/** `isAbout` of @tutti/schema in SQL: whether one of these patterns, an array of texts, is about an action. */
export const isAboutSql = (patterns: string, action: string): string =>
  `exists (select from unnest(${patterns}) as about(pattern) where about.pattern in ('*', ${action})
    or (about.pattern like '%.*' and starts_with(${action}, left(about.pattern, -1))))`
