import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { continueTrace, inSpan, traceHeaders } from './tracing.ts'

interface Seen {
  name: string
  attributes: unknown
  own: SpanContext
  parent: SpanContext | undefined
  failed: boolean
  ended: boolean
}
const seen: Seen[] = []

/** As little of an SDK as shows what we ask of one: the real one does not go with this version of the API. */
class MemoryTracer implements Tracer {
  startSpan(name: string, options: SpanOptions = {}, within: Context = context.active()): Span {
    const parent = trace.getSpanContext(within)
    const hex = (length: number) =>
      Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString('hex')
    const own = { traceId: parent?.traceId ?? hex(16), spanId: hex(8), traceFlags: 1 }
    const entry: Seen = { name, attributes: options.attributes, own, parent, failed: false, ended: false }
    seen.push(entry)
    const span = trace.wrapSpanContext(own)
    span.setStatus = ({ code }) => {
      entry.failed = code === SpanStatusCode.ERROR
      return span
    }
    span.end = () => {
      entry.ended = true
    }
    return span
  }
  startActiveSpan<F extends (span: Span) => ReturnType<F>>(...args: unknown[]): ReturnType<F> {
    const [name, options, work] = args as [string, SpanOptions, F]
    const span = this.startSpan(name, options)
    return context.with(trace.setSpan(context.active(), span), work, undefined, span)
  }
}

beforeAll(() => {
  const storage = new AsyncLocalStorage<Context>()
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (within, work, self, ...args) => storage.run(within, () => work.call(self as never, ...args)),
    bind: (_within, target) => target,
    enable() {
      return this
    },
    disable() {
      return this
    },
  })
  propagation.setGlobalPropagator({
    inject(within, carrier, setter) {
      const span = trace.getSpanContext(within)
      if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`)
    },
    extract(within, carrier, getter) {
      const [, traceId, spanId] = String(getter.get(carrier, 'traceparent') ?? '').split('-')
      return traceId && spanId
        ? trace.setSpanContext(within, { traceId, spanId, traceFlags: 1, isRemote: true })
        : within
    },
    fields: () => ['traceparent'],
  })
  trace.setGlobalTracerProvider({ getTracer: () => new MemoryTracer() })
})
beforeEach(() => void seen.splice(0))
afterAll(() => {
  trace.disable()
  propagation.disable()
  context.disable()
})

test('a trace goes on in another process by a header', async () => {
  let headers: Record<string, string> = {}
  await inSpan('gateway query', { kind: 'server' }, async () => {
    await Promise.resolve()
    headers = traceHeaders()
  })
  expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  await continueTrace(headers, () => inSpan('subgraph workflows', {}, async () => undefined))
  const [gateway, subgraph] = seen
  expect(subgraph?.own.traceId).toBe(gateway?.own.traceId)
  expect(subgraph?.parent?.spanId).toBe(gateway?.own.spanId)
  expect(seen.map(({ ended, failed }) => [ended, failed])).toEqual([
    [true, false],
    [true, false],
  ])
})

test('work that fails marks its span, and fails all the same', async () => {
  const work = inSpan('task classify', { attributes: { 'tutti.attempt': 2 } }, async () => {
    throw new Error('no')
  })
  await expect(work).rejects.toThrow('no')
  expect(seen).toMatchObject([{ attributes: { 'tutti.attempt': 2 }, failed: true, ended: true }])
})

test('outside of a trace no header is sent, and a call without one begins its own', async () => {
  expect(traceHeaders()).toEqual({})
  await continueTrace({}, () => inSpan('subgraph agents', {}, async () => undefined))
  expect(seen[0]?.parent).toBeUndefined()
})
