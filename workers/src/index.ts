export { agentSigningSecret } from './executors/execute-over-http.ts'
export { startWorkers, type WorkerOptions } from './start-workers.ts'
