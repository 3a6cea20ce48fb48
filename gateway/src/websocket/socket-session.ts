import type { Actor } from '@tutti/schema'
import { CloseCode, MessageType, parseMessage } from 'graphql-ws'
import type { WebSocket } from 'ws'

import type { Authenticate } from '../authentication/authenticate.ts'
import { type Credential, readCredential } from '../authentication/credential.ts'
import { approvalsOf } from '../authorization/approvals-of.ts'
import type { CredentialWatch } from '../authentication/watch-credentials.ts'
import { clientError } from '../errors/client-error.ts'
import type { PresentError } from '../errors/present-error.ts'
import type { RunOperation } from '../graph/run-operation.ts'
import type { Subscriber } from '../subscriptions/shared-message.ts'

/** Our own close code beside the protocol's: the client reads too slowly; the reason ends with its last cursor. */
export const SLOW_CONSUMER = 4413

export interface SessionSettings {
  authenticate: Authenticate
  watch: CredentialWatch
  run: RunOperation
  present: PresentError
  /** A caller without a credential is let in (only where the whole graph is open). */
  allowAnonymous: boolean
  initTimeoutMs: number
  maxSubscriptions: number
  /** Bounds of what may wait for one client. */
  maxBufferedBytes: number
  maxBufferedMessages: number
  keepAliveMs: number
}

/** One client's socket: the graphql-transport-ws protocol, with authentication, limits and back pressure. */
export class SocketSession {
  readonly #socket: WebSocket
  readonly #settings: SessionSettings
  /** What the upgrade bore, for a connection_init without a credential. */
  readonly #cookie: Credential | null
  readonly #running = new Map<string, () => void>()
  readonly #initTimer: NodeJS.Timeout
  #state: 'new' | 'authenticating' | 'ready' = 'new'
  #actor: Actor | null = null
  #unwatch: (() => void) | undefined
  #alive = true
  #waiting = 0
  #lastCursor: string | null = null

  constructor(socket: WebSocket, settings: SessionSettings, cookie: Credential | null = null) {
    this.#cookie = cookie
    this.#socket = socket
    this.#settings = settings
    this.#initTimer = setTimeout(
      () => this.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'),
      settings.initTimeoutMs,
    )
    socket.on('message', (data, binary) => void this.#receive(binary ? null : String(data)))
    socket.on('pong', () => {
      this.#alive = true
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => this.#end())
  }

  /** Called at every keep-alive tick: a peer that has not answered the last ping is gone. */
  tick(): void {
    if (!this.#alive) return this.#socket.terminate()
    this.#alive = false
    this.#socket.ping()
  }

  /** Closes with a code and reason of at most 123 bytes; a peer that does not answer is cut off by `ws`. */
  close(code: number, reason: string): void {
    this.#end()
    this.#socket.close(code, reason.slice(0, 123))
  }

  async #receive(text: string | null): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    const message = text === null ? null : readMessage(text)
    if (message === null) return this.close(CloseCode.BadRequest, 'Invalid message received')
    switch (message.type) {
      case MessageType.ConnectionInit:
        if (this.#state !== 'new') {
          return this.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests')
        }
        this.#state = 'authenticating'
        return this.#initialise(message.payload ?? {})
      case MessageType.Ping:
        return this.#send(
          JSON.stringify({
            type: MessageType.Pong,
            ...(message.payload === undefined ? {} : { payload: message.payload }),
          }),
        )
      case MessageType.Pong:
        return
      case MessageType.Subscribe:
        if (this.#state !== 'ready') return this.close(CloseCode.Unauthorized, 'Unauthorized')
        if (this.#running.has(message.id)) {
          return this.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${message.id} already exists`)
        }
        return this.#subscribe(message.id, message.payload)
      case MessageType.Complete: {
        const stop = this.#running.get(message.id)
        this.#running.delete(message.id)
        return stop?.()
      }
      default:
        return this.close(CloseCode.BadRequest, 'Invalid message received')
    }
  }

  async #initialise(payload: Record<string, unknown>): Promise<void> {
    clearTimeout(this.#initTimer)
    const credential = readCredential(lowerCaseNames(payload)) ?? this.#cookie
    if (credential === 'malformed') return this.close(CloseCode.Forbidden, 'Forbidden')
    if (credential === null && !this.#settings.allowAnonymous) {
      return this.close(CloseCode.Unauthorized, 'Unauthorized')
    }
    if (credential !== null) {
      let actor: Actor | null
      try {
        actor = await this.#settings.authenticate(credential)
      } catch {
        return this.close(1013, 'Try again later')
      }
      if (this.#socket.readyState !== this.#socket.OPEN) return
      if (actor === null) return this.close(CloseCode.Forbidden, 'Forbidden')
      this.#actor = actor
      this.#unwatch = this.#settings.watch.watch(credential, actor, (reason) =>
        this.close(CloseCode.Forbidden, reason),
      )
    }
    this.#state = 'ready'
    this.#send(`{"type":"${MessageType.ConnectionAck}"}`)
  }

  #subscribe(id: string, payload: SubscribePayload): void {
    const idJson = JSON.stringify(id)
    if (this.#running.size >= this.#settings.maxSubscriptions) {
      const error = this.#settings.present(
        clientError('RATE_LIMITED', { message: 'Too many operations on one socket.' }),
      )
      return this.#send(`{"id":${idJson},"type":"error","payload":${JSON.stringify([error])}}`)
    }
    const end = (message: string): void => {
      if (!this.#running.delete(id)) return
      this.#send(message)
    }
    const head = `{"id":${idJson},"type":"next","payload":`
    const subscriber: Subscriber = {
      next: (message) => {
        if (!this.#running.has(id)) return
        this.#send(`${head}${message.payload}}`)
        if (message.cursor !== null) this.#lastCursor = message.cursor
      },
      fail: (errors) => end(`{"id":${idJson},"type":"error","payload":${JSON.stringify(errors)}}`),
      complete: () => end(`{"id":${idJson},"type":"complete"}`),
      pressure: () => this.#socket.bufferedAmount,
    }
    const resume = payload.extensions?.['resume']
    this.#running.set(id, () => {})
    const stop = this.#settings.run(
      {
        query: payload.query,
        operationName: payload.operationName,
        variables: payload.variables,
        resume: typeof resume === 'string' ? resume : null,
        approvals: approvalsOf(undefined, payload.extensions),
      },
      this.#actor,
      subscriber,
    )
    if (this.#running.has(id)) this.#running.set(id, stop)
  }

  #send(text: string): void {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    socket.send(text)
    const buffered = socket.bufferedAmount
    this.#waiting = buffered === 0 ? 0 : this.#waiting + 1
    if (buffered > this.#settings.maxBufferedBytes || this.#waiting > this.#settings.maxBufferedMessages) {
      this.close(
        SLOW_CONSUMER,
        `slow consumer${this.#lastCursor === null ? '' : `; cursor=${this.#lastCursor}`}`,
      )
    }
  }

  #end(): void {
    clearTimeout(this.#initTimer)
    this.#unwatch?.()
    const stops = [...this.#running.values()]
    this.#running.clear()
    for (const stop of stops) stop()
  }
}

interface SubscribePayload {
  query: string
  operationName?: string | null | undefined
  variables?: Record<string, unknown> | null | undefined
  extensions?: Record<string, unknown> | null | undefined
}

function readMessage(text: string): ReturnType<typeof parseMessage> | null {
  // JSON.parse makes an own property of it, which a later merge would follow.
  if (text.includes('"__proto__"')) return null
  try {
    return parseMessage(text)
  } catch {
    return null
  }
}

function lowerCaseNames(payload: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name.toLowerCase(), value]))
}
