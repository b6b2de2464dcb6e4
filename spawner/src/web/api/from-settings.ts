// Creates the API from the settings. Without a token there is no API.
import type { Express } from 'express'
import type { Route } from '@berth/shared/contract'
import type { SpawnerSettings } from '../../settings.ts'
import type { State } from '../../policy/domain.ts'
import type { HexOf } from '../docker-spawner/container-hex.ts'
import { createApi, type CreateApiDeps } from './create-api.ts'
import { workspaceRoutes } from '../docker-spawner/workspace-routes.ts'

type Settings = Pick<SpawnerSettings, 'API_TOKEN' | 'WITH_USERS' | 'PORTAL_URL' | 'PUBLIC_URL'>
type Parts = Pick<
  CreateApiDeps,
  'workspaces' | 'hexOf' | 'history' | 'hostKeys' | 'clock' | 'log' | 'version'
>

/** @returns `undefined` without a token: then the port must not be opened */
export function apiFor(settings: Settings, parts: Parts): Express | undefined {
  const { API_TOKEN: token, WITH_USERS: withUsers, PORTAL_URL, PUBLIC_URL } = settings
  if (token === undefined) return undefined
  return createApi({
    ...parts,
    token,
    withUsers,
    publicUrl: PUBLIC_URL,
    problemBase: PORTAL_URL ?? PUBLIC_URL,
  })
}

/** Clients learn the sub-domains from the API only, so without a token there are none. They need a public URL as well.
 * */
export function hexRoutes(
  { API_TOKEN, PUBLIC_URL }: Settings,
  hexOf: HexOf,
): ((state: State) => readonly Route[]) | undefined {
  if (API_TOKEN === undefined || PUBLIC_URL === undefined) return undefined
  const { hostname } = new URL(PUBLIC_URL)
  return (state) => workspaceRoutes(state, hexOf, hostname)
}
