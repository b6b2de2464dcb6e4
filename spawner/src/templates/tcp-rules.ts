// The rules for templates of the kind tcp: one port leads to them, and who connects is known without a sign-in.
import type { Complaint } from './complaint.ts'
import type { Template } from './template.ts'

export function* tcpComplaints(template: Template): Generator<Complaint> {
  const { tcp, ssh, route, policy } = template
  const sources = tcp?.sources.filter(({ networks }) => networks.length > 0) ?? []
  const hasWho = sources.length > 0 || tcp?.certificates === true || policy.allowsGuests
  if (!hasWho && ssh === undefined)
    yield {
      fields: ['kind'],
      message:
        'is tcp, and nothing says who connects: set sources (the networks of each person), allow.certificates, allow.guests, or ssh',
    }
  if (route.listenPort === undefined && (hasWho || ssh === undefined))
    yield {
      fields: ['route.port'],
      message:
        'must be set, because the kind is tcp: a port of the director, of the range TCP_PORTS',
    }
  if (route.listenPort !== undefined && !hasWho && ssh !== undefined)
    yield {
      fields: ['route.port'],
      message:
        'has no effect, because only ssh says who connects: remove it, or set sources, allow.certificates or allow.guests',
    }
  if (tcp?.seatsBy === 'connection' && policy.persistBetweenReconnects)
    yield {
      fields: ['seats.persist_between_reconnects', 'seats_by'],
      message: 'must not be true: with seats_by: connection, a guest never comes back to the seat',
    }
  yield* overlaps(sources)
}

function* overlaps(sources: NonNullable<Template['tcp']>['sources']): Generator<Complaint> {
  for (const [index, second] of sources.entries())
    for (const first of sources.slice(0, index))
      for (const network of second.networks) {
        const other = first.networks.find((one) => one.overlaps(network))
        if (other !== undefined)
          yield {
            fields: ['sources'],
            message: `gives addresses to two people: ${other.text} to "${first.user}", and ${network.text} to "${second.user}"`,
          }
      }
}
