/** What every subgraph's SDL starts with: Federation 2.9, the security directives, our scalars. */
export const FEDERATION_HEADER = `extend schema
  @link(
    url: "https://specs.apollo.dev/federation/v2.9"
    import: ["@key", "@shareable", "@external", "@requires", "@provides", "@tag", "@inaccessible", "@authenticated", "@requiresScopes", "@policy"]
  )

"A moment, ISO 8601 in UTC."
scalar DateTime

"Any JSON value."
scalar JSON

"One page's position in a list."
type PageInfo @shareable {
  "Whether more follows."
  hasNextPage: Boolean!
  "Cursor of the last edge; give it as \`after\` to go on."
  endCursor: String
}
`
