export {
  startWorker,
  type TaskTools,
  type Worker,
  type WorkerOptions,
  type WorkerTask,
} from './start-worker.ts'
export { TaskFailure } from './task-failure.ts'
