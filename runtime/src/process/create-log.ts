import { trace } from '@opentelemetry/api'
import { type Logger, pino } from 'pino'

export type Log = Logger

/** Structured logs on standard output; secrets are cut out and the trace's id is put in. */
export function createLog(name: string, level: string = process.env['LOG_LEVEL'] ?? 'info'): Log {
  return pino({
    name,
    level,
    base: { pid: process.pid },
    redact: {
      paths: [
        '*.authorization',
        '*.apiKey',
        '*.secret',
        '*.password',
        'authorization',
        'apiKey',
        'secret',
        'password',
      ],
      censor: '[redacted]',
    },
    mixin() {
      const context = trace.getActiveSpan()?.spanContext()
      return context ? { traceId: context.traceId, spanId: context.spanId } : {}
    },
  })
}
