// The routes by sub-domain: the host `<hex>.<public host>` leads to one workspace only. Pure.
import type { Route } from '@berth/shared/contract'
import { routeOf } from '../../loop/routes.ts'
import type { State } from '../../policy/domain.ts'
import { shownPhase } from '../../policy/state/phases.ts'
import type { HexOf } from './container-hex.ts'

/** Each snapshot of all routes is sent to each director at once, and a director accepts at most 4 MiB. Above these
 * limits only the oldest workspaces have a sub-domain. */
const mostRoutes = 5_000
const mostBytes = 3 * 1024 ** 2

/** @param publicHost the host name of PUBLIC_URL, without a port */
export function workspaceRoutes(
  state: Pick<State, 'workspaces' | 'config'>,
  hexOf: HexOf,
  publicHost: string,
): readonly Route[] {
  const routes: Route[] = []
  let bytes = 0
  for (const workspace of state.workspaces.values()) {
    const template = state.config.templates.get(workspace.template)
    if (template === undefined || workspace.kind === 'standby') continue
    if (shownPhase(workspace) === 'absent') continue
    const { name, kind } = workspace
    const hosts = [`${hexOf(name)}.${publicHost}`]
    const way = routeOf({ ...template, route: { hosts } })
    const route = { ...way, workspace: name, shared: kind === 'shared' }
    bytes += Buffer.byteLength(JSON.stringify(route))
    if (bytes > mostBytes) break
    routes.push(route)
    if (routes.length === mostRoutes) break
  }
  return routes
}
