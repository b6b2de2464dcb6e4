// What the pages and the internal API are told about this deployment. Where it comes from is the config's business.
import type { Secret } from '@berth/shared/secret'

export interface WebSettings {
  readonly internalSecret: Secret
  /** Stands on every page and in the tab's title. */
  readonly siteTitle: string
  /** A path of this origin or a URL. */
  readonly signOutUrl: string
  /** A URL or `mailto:`; without one, pages speak of the administrator only. */
  readonly supportUrl?: string | undefined
  /** The CSP directive of that name: `'none'` or sources, separated by blanks. */
  readonly frameAncestors: string
  /** Origin that people reach workspaces at; without one, each request's own host counts. */
  readonly publicUrl?: string | undefined
  /** Where problems are explained: the portal, or the public URL. */
  readonly problemBase?: string | undefined
}
