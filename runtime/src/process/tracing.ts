import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

const tracer = trace.getTracer('tutti')

export interface SpanSettings {
  kind?: 'server' | 'client' | 'internal' | 'consumer'
  attributes?: Attributes
}

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
  consumer: SpanKind.CONSUMER,
}

/**
 * Runs work within a span; what it starts is below it. A rejection marks the span as failed and passes on. Without an
 * OpenTelemetry SDK in the process this is a function call.
 */
export function inSpan<T>(
  name: string,
  settings: SpanSettings,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { kind = 'internal', attributes = {} } = settings
  return tracer.startActiveSpan(name, { kind: KINDS[kind], attributes }, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

/** Headers (`traceparent`) by which a call to another process belongs to this trace; empty without an SDK. */
export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  propagation.inject(context.active(), headers)
  return headers
}

/** Runs work as a part of the trace that the headers of a trusted call name. */
export function continueTrace<T>(headers: Record<string, unknown>, work: () => T): T {
  return context.with(propagation.extract(context.active(), headers), work)
}
