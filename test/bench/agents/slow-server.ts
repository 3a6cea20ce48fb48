// An agent over HTTP in a process of its own: says its port to its parent, and answers each call after 20 ms.
import { createServer } from 'node:http'

const ANSWER_MS = 20

const server = createServer((request, response) => {
  request
    .resume()
    .once('end', () =>
      setTimeout(
        () => response.setHeader('content-type', 'application/json').end('{"output":{"ok":true}}'),
        ANSWER_MS,
      ),
    )
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 })
})
process.once('disconnect', () => process.exit())
