import type { Server } from 'node:http'
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws'
import { WebSocketServer } from 'ws'

import { isOwnOrigin, sessionOf } from '../login/session-cookie.ts'
import { type SessionSettings, SocketSession } from './socket-session.ts'

export interface AcceptSocketsOptions extends SessionSettings {
  path: string
  /** Null: there are no sessions. */
  sessions: { publicUrl?: string | undefined } | null
  /** Bytes of one message. */
  maxPayload: number
  /** Sockets at once; more get 503. */
  maxSockets: number
}

export interface SocketDoor {
  /** Open sockets. */
  readonly size: number
  /** Tells every client to go elsewhere (1001) and takes no more. */
  stop(): Promise<void>
}

/** Serves graphql-transport-ws on the HTTP server's upgrade requests for `path`. */
export function acceptSockets(server: Server, options: AcceptSocketsOptions): SocketDoor {
  const sessions = new Set<SocketSession>()
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxPayload,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (protocols) =>
      protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  })
  let stopped = false

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const path = (request.url ?? '').split('?', 1)[0]
    const status =
      path !== options.path
        ? '404 Not Found'
        : stopped || sessions.size >= options.maxSockets
          ? '503 Service Unavailable'
          : null
    if (status !== null) {
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (webSocket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL) {
        webSocket.on('error', () => webSocket.terminate())
        webSocket.close(4406, 'Subprotocol not acceptable')
        return
      }
      const { headers } = request
      // A browser lets any page open a socket here, and sends our cookie along: only our own pages' counts.
      const publicUrl = options.sessions?.publicUrl
      const ours = options.sessions !== null && isOwnOrigin(headers, publicUrl)
      const session = new SocketSession(webSocket, options, ours ? sessionOf(headers, publicUrl) : null)
      sessions.add(session)
      webSocket.once('close', () => sessions.delete(session))
    })
  })

  const keepAlive = setInterval(() => {
    for (const session of sessions) session.tick()
  }, options.keepAliveMs)

  return {
    get size() {
      return sessions.size
    },
    async stop() {
      stopped = true
      clearInterval(keepAlive)
      for (const session of sessions) session.close(1001, 'Going away')
      sockets.close()
    },
  }
}
