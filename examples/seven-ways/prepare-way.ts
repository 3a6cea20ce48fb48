import type { Door } from '../platform/find-door.ts'
import { bindModel } from './bind-model.ts'
import { findSigningSecret } from '../platform/find-signing-secret.ts'
import { startA2aAgent } from './servers/a2a-agent.ts'
import { startHttpAgent } from './servers/http-agent.ts'
import { startMcpServer } from './servers/mcp-server.ts'
import { startPythonWorker } from './start-python-worker.ts'
import type { Way } from './ways.ts'

/** What a way needs: what its document names, and what runs until it is disposed of. */
export interface Prepared extends AsyncDisposable {
  /** By the names that follow a `$` in the document. */
  readonly values: Readonly<Record<string, string>>
}

/** Starts what serves a way, for the agent of this id. `model` is one that the platform knows, undefined for our own. */
export async function prepareWay(
  way: Way,
  door: Door,
  { agentId, model }: { agentId: string; model: string | undefined },
): Promise<Prepared> {
  await using building = new AsyncDisposableStack()
  const values: Record<string, string> = { MODEL: model ?? 'none' }
  switch (way) {
    case 'builtin':
    case 'person':
      break
    case 'http':
      values['HTTP_AGENT'] =
        `${building.use(await startHttpAgent(await findSigningSecret(door, agentId))).origin}/judge`
      break
    case 'mcp':
      values['MCP_SERVER'] = `${building.use(await startMcpServer()).origin}/mcp`
      break
    case 'a2a':
      values['A2A_AGENT'] = `${building.use(await startA2aAgent()).origin}/agent`
      break
    case 'model':
      if (model === undefined) values['MODEL'] = building.use(await bindModel(door)).name
      break
    case 'external':
      building.use(await startPythonWorker(door))
      break
  }
  const running = building.move()
  return { values, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
