const LINK = `extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.9"
  import: ["@key", "@shareable", "@external", "@tag", "@authenticated", "@requiresScopes", "@policy"]
)`

/** Three small subgraphs: a task's agent and quality come from two others. `open` leaves the security directives out. */
export const SUBGRAPH_SDL: Record<'agents' | 'tasks' | 'quality', string> = {
  agents: `${LINK}
type Query {
  agent(id: ID!): Agent @authenticated
}
type Agent @key(fields: "id") {
  id: ID!
  name: String!
  team: String!
  salary: Int @requiresScopes(scopes: [["agents:write"]])
}
`,
  tasks: `${LINK}
type Query {
  task(id: ID!): Task @authenticated
  tasks(first: Int!, from: Int = 0): [Task!]! @authenticated
  work: [Work!]! @authenticated
  slow(ms: Int!): String @authenticated
  secret: String @policy(policies: [["never"]])
  broken: String @authenticated
}
type Mutation {
  finishTask(id: ID!): Task @requiresScopes(scopes: [["runs:start"], ["runs:control", "workflows:write"]])
}
type Subscription {
  taskEvents(after: String, kind: String): TaskEvent! @requiresScopes(scopes: [["runs:read"]])
  myEvents(after: String): TaskEvent! @authenticated @tag(name: "personal")
  controlEvents: TaskEvent! @requiresScopes(scopes: [["runs:control"]])
}
interface Work {
  id: ID!
  title: String
}
type Task implements Work @key(fields: "id") {
  id: ID!
  title: String
  agent: Agent
}
type Chore implements Work @authenticated {
  id: ID!
  title: String @requiresScopes(scopes: [["access:manage"]])
}
type TaskEvent {
  cursor: String!
  kind: String!
  "Milliseconds since the epoch."
  at: Float!
  task: Task
}
type Agent @key(fields: "id", resolvable: false) {
  id: ID!
}
`,
  quality: `${LINK}
type Query {
  worst: Task @authenticated
}
type Task @key(fields: "id") {
  id: ID!
  quality: Quality
}
type Quality {
  score: Float!
  verdict: String!
}
`,
}
