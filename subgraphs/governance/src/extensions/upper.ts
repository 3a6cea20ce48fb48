/** A status as GraphQL spells it; the tables have lower case. */
export const upper = <Text extends string>(text: Text): Uppercase<Text> =>
  text.toUpperCase() as Uppercase<Text>

/** A status as the tables spell it. */
export const lower = <Text extends string>(text: Text): Lowercase<Text> =>
  text.toLowerCase() as Lowercase<Text>
