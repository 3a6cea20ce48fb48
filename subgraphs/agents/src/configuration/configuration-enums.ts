/** The API's names of what a configuration says. */
export const configurationEnums = {
  AgentCacheLevel: { OFF: 'off', MEMORY: 'memory', REDIS: 'redis', DATABASE: 'database' },
  AgentDeadlineRule: { ESCALATE: 'escalate', EXPIRE: 'expire', REJECT: 'reject' },
  AgentTriggerType: { SCHEDULE: 'schedule', WEBHOOK: 'webhook', EVENT: 'event' },
  AgentExecutorType: {
    BUILTIN: 'builtin',
    HTTP: 'http',
    MCP: 'mcp',
    A2A: 'a2a',
    CONNECTOR: 'connector',
    MODEL: 'model',
    PERSON: 'person',
    EXTERNAL: 'external',
  },
}
