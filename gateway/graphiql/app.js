// The page at GET /graphql. Bundled by `npm run generate`, so that nothing is fetched from anywhere else.
import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import { GraphiQL } from 'graphiql'
import { createClient } from 'graphql-ws'
import { createElement } from 'react'
import { createRoot } from 'react-dom/client'

const HEADERS = '{\n  "authorization": "Bearer tutti_..."\n}'
const tabs = JSON.parse(document.getElementById('tabs')?.textContent ?? '[]')
const socketUrl = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`

function isSubscription(documentAST, operationName) {
  const operations = (documentAST?.definitions ?? []).filter((each) => each.kind === 'OperationDefinition')
  const chosen = operations.find((each) => each.name?.value === operationName) ?? operations[0]
  return chosen?.operation === 'subscription'
}

// A socket for each subscription, since its token is the one in the headers editor at that moment.
async function* subscribe(params, headers) {
  const client = createClient({ url: socketUrl, connectionParams: headers, retryAttempts: 0 })
  try {
    yield* client.iterate(params)
  } catch (error) {
    yield {
      errors: Array.isArray(error)
        ? error
        : [{ message: error?.reason || error?.message || 'The connection was closed.' }],
    }
  } finally {
    await client.dispose()
  }
}

async function ask(params, headers) {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
  })
  return response.json()
}

function fetcher(params, { headers = {}, documentAST } = {}) {
  // The placeholder is nobody's key; without it the schema can be read in development.
  const sent = Object.fromEntries(
    Object.entries(headers).filter(([, value]) => !String(value).endsWith('tutti_...')),
  )
  return isSubscription(documentAST, params.operationName) ? subscribe(params, sent) : ask(params, sent)
}

createRoot(document.getElementById('root')).render(
  createElement(GraphiQL, {
    fetcher,
    defaultTabs: tabs.map((tab) => ({ headers: HEADERS, ...tab })),
    defaultHeaders: HEADERS,
    shouldPersistHeaders: true,
    defaultEditorToolsVisibility: 'headers',
  }),
)
