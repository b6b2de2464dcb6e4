// What only requests of HTTP have: a template of another kind that sets it expects what does not happen.
import type { Complaint } from './complaint.ts'
import type { Template } from './template.ts'

/** For a template whose kind is not `web`. */
export function* webOnlyComplaints(template: Template): Generator<Complaint> {
  const { kind } = template
  for (const [field, isSet] of ofTheWeb(template))
    if (isSet)
      yield { fields: [field], message: `has no effect, because the kind is ${kind}: remove it` }
}

function ofTheWeb(template: Template): readonly (readonly [string, boolean])[] {
  const { kind, route, open, policy, passTokens, backgroundRequests, quietFrames } = template
  return [
    ['route.hosts', route.hosts.length > 0],
    ['route.path', route.path !== undefined],
    ['route.port', kind === 'ssh' && route.listenPort !== undefined],
    ['open', open !== ''],
    ['activity.path', policy.activityPath !== ''],
    ['pass.tokens', passTokens.length > 0],
    ['background', backgroundRequests.length > 0],
    ['frames', quietFrames.length > 0],
    ['allow.guests', kind === 'ssh' && policy.allowsGuests],
  ]
}
