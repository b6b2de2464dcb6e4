// The routes as directors need them: one for each template.
import type { Route, SshServer, TcpRoute } from '@berth/shared/contract'
import type { PolicyConfig } from '../policy/domain.ts'
import { placeholderValues, render } from '../templates/placeholders.ts'
import { isShared, type Template, type TemplateTcp } from '../templates/template.ts'

export function templateRoutes({ templates }: Pick<PolicyConfig, 'templates'>): readonly Route[] {
  return [...templates.values()].map(routeOf)
}

export function routeOf(template: Template): Route {
  const { path, listenPort } = template.route
  const open = render(template.open, placeholderValues(template, undefined, ''))
  return {
    template: template.name,
    prefix: template.prefix,
    port: template.spec.port,
    ...(template.spec.scheme === 'http' ? {} : { scheme: template.spec.scheme }),
    hosts: [...template.route.hosts],
    ...(path === undefined ? {} : { path }),
    ...(listenPort === undefined ? {} : { listenPort }),
    ...(template.tcp === undefined ? {} : { tcp: tcpOf(template.tcp, template.policy) }),
    ...(template.ssh?.method === 'connect' ? { sshServer: serverOf(template.ssh) } : {}),
    ...(open === '' ? {} : { open }),
    groups: groupsNamedBy(template),
    shared: isShared(template),
    readyPath: template.spec.readyPath,
    passIdentity: [...template.passIdentity],
    passTokens: [...template.passTokens],
    backgroundRequests: [...template.backgroundRequests],
    ...(template.quietFrames.length === 0 ? {} : { quietFrames: [...template.quietFrames] }),
    ...(template.policy.startsBy === 'request' ? { startsByRequest: true } : {}),
    ...(template.banner ? { banner: true } : {}),
    ...(template.policy.allowsGuests ? { guests: true } : {}),
    connectionIdleMs: template.connectionIdleMs,
  }
}

const serverOf = ({ user, port }: SshServer): SshServer => ({ user, port })

const tcpOf = (
  { sources, certificates, seatsBy }: TemplateTcp,
  { allowsGuests }: Template['policy'],
): TcpRoute => ({
  sources: sources.map(({ user, networks }) => ({
    user,
    networks: networks.map(({ text }) => text),
  })),
  certificates,
  ...(allowsGuests ? { guestsBy: seatsBy } : {}),
})

function groupsNamedBy({ policy }: Template): string[] {
  return [...new Set([...policy.allowedGroups, ...Object.keys(policy.maxWorkspacesByGroup)])]
}
