// The director's metrics. No user names in labels.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { problemCodes, type ProblemCode } from '@berth/shared/problems'

const protocols = ['http', 'websocket', 'ssh', 'tcp'] as const
export type Protocol = (typeof protocols)[number]

const requestOutcomes = [
  'forwarded',
  'own',
  'page',
  'refused',
  'failed',
  'cut',
  'client_gone',
] as const
/** How a request ended. */
export type RequestOutcome = (typeof requestOutcomes)[number]

export interface Metrics {
  ended(protocol: Protocol, outcome: RequestOutcome): void
  refused(code: ProblemCode): void
  /** From a request's arrival until it is handed to the workspace, when a lease was there already. */
  handedOver(ms: number): void
  opened(protocol: Protocol): void
  closed(protocol: Protocol): void
}

export function createMetrics(registry: Registry): Metrics {
  const requests = new Counter({
    name: 'berth_requests_total',
    help: 'Requests that have ended, by outcome',
    labelNames: ['protocol', 'outcome'],
    registers: [registry],
  })
  const refusals = new Counter({
    name: 'berth_refusals_total',
    help: 'Refusals, by code',
    labelNames: ['code'],
    registers: [registry],
  })
  // A counter that appears with its first event shows no increase at that event.
  for (const code of problemCodes) refusals.inc({ code }, 0)
  for (const outcome of requestOutcomes)
    for (const protocol of protocols) requests.inc({ protocol, outcome }, 0)
  const overhead = new Histogram({
    name: 'berth_request_overhead_duration_seconds',
    help: 'From the arrival of a request until it is handed to the workspace, when a lease was there already',
    buckets: [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25],
    registers: [registry],
  })
  const connections = new Gauge({
    name: 'berth_connections',
    help: 'Requests in flight, open WebSockets, SSH sessions and TCP connections',
    labelNames: ['protocol'],
    registers: [registry],
  })

  return {
    ended: (protocol, outcome) => requests.inc({ protocol, outcome }),
    refused: (code) => refusals.inc({ code }),
    handedOver: (ms) => overhead.observe(ms / 1_000),
    opened: (protocol) => connections.inc({ protocol }),
    closed: (protocol) => connections.dec({ protocol }),
  }
}
