// The settings of the pages and the internal API. The config reads them from the environment.
import type { Administrators } from '@berth/shared/administrators'
import type { SshAddress } from '../../ssh/ssh-address.ts'
import type { Secret } from '@berth/shared/secret'

export interface WebSettings {
  readonly internalSecret: Secret
  /** Shown on every page and in the title of the tab. */
  readonly siteTitle: string
  /** A path of this origin or a URL. */
  readonly signOutUrl: string
  /** A URL or `mailto:`; without it, pages name no contact but the administrator. */
  readonly supportUrl?: string | undefined
  /** The CSP directive of that name: `'none'` or sources, separated by blanks. */
  readonly frameAncestors: string
  /** The origin at which people reach workspaces. Without it, the host of each request is used. */
  readonly publicUrl?: string | undefined
  /** The origin of the portal. Without it, there is no portal. */
  readonly portalUrl?: string | undefined
  readonly administrators: Administrators
  /** Where people reach SSH. Absent: nowhere, or Berth does not know it. */
  readonly sshAddress?: SshAddress | undefined
  /** The origins of forges that people may have their public keys fetched from. */
  readonly keyForges?: readonly string[] | undefined
  /** The URL below which problems are explained: the portal, or the public URL. */
  readonly problemBase?: string | undefined
}
