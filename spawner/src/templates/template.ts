// A template: something that can be run, for whom, under which policy, and by which way in. Parsed once, frozen.
import type { Prefix } from '@berth/shared/names'
import type { Secret } from '@berth/shared/secret'

/** Only `web` is offered until the other listeners exist; the others are read and refused with a clear word. */
export type TemplateKind = 'web' | 'ssh' | 'tcp'

/** Where it was described; of two of one name the first in this order counts. */
export type TemplateSource = 'environment' | 'file' | 'image'

export interface VolumeMount {
  /** `volume`: a volume of that name. `shared`: one volume for each id, which templates share and everybody may
   * write to. `bind`: a folder of the engine's host, below an allowed one. */
  readonly kind: 'volume' | 'shared' | 'bind'
  /** Name of a volume (with placeholders such as `{user}`), an id, or an absolute path on the host. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
}

export interface SecretMount {
  readonly name: string
  /** Absolute path of the file in the container, `/run/secrets/<name>` unless said otherwise. */
  readonly target: string
  readonly value: Secret
}

/** What a container is made from: `berth.spec` is its hash. Texts may hold placeholders. Zero is no limit. */
export interface TemplateSpec {
  readonly image: string
  readonly pull: 'missing' | 'always'
  readonly port: number
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly home?: { readonly path: string; readonly volume: string }
  readonly volumes: readonly VolumeMount[]
  /** As in Docker: `1000`, `1000:1000` or a name; empty: the image's own. */
  readonly user: string
  readonly memoryBytes: number
  /** Memory and swap together, as in Docker; equal to `memoryBytes`: no swap. */
  readonly memorySwapBytes: number
  /** Zero: the engine's default. */
  readonly shmBytes: number
  readonly cpus: number
  readonly pids: number
  readonly secrets: readonly SecretMount[]
  /** Networks on the engine that it joins besides its own. */
  readonly networks: readonly string[]
  /** Whether the engine's own small init is process 1. */
  readonly init: boolean
  readonly capAdd: readonly string[]
  readonly securityOpt: readonly string[]
  /** Empty: the engine's default. */
  readonly runtime: string
  /** `none`: its network leads nowhere but to the directors. */
  readonly egress: 'internet' | 'none'
  readonly readyPath: string
  readonly stopSignal: string
  readonly stopTimeoutMs: number
}

/** Who may have one, when its workspaces freeze, stop and go. Zero is off, or no limit. */
export interface TemplatePolicy {
  /** People in one workspace at once. 1: private, each person has their own under their own name. */
  readonly seats: number
  /** People that one workspace takes in its whole life. */
  readonly seatsTotal: number
  /** A seat of a shared workspace ends when its last use is this long ago. */
  readonly seatIdleMs: number
  /** False: the seat ends when its last connection closes. */
  readonly persistBetweenReconnects: boolean
  /** Each counted from the last use. */
  readonly idleFreezeMs: number
  readonly idleStopMs: number
  readonly idleRemoveMs: number
  readonly maxLifetimeMs: number
  /** From then on it takes nobody new and ends with the last who leaves. */
  readonly drainAfterMs: number
  /** What one extension by the person adds to the lifetime; zero: there is none. */
  readonly extensionMs: number
  readonly startTimeoutMs: number
  /** `click`: a visit shows a page with a start button, and starts nothing. */
  readonly startsBy: 'visit' | 'click'
  readonly allowedUsers: readonly string[]
  readonly allowedGroups: readonly string[]
  /** Workspaces of this template at once. */
  readonly maxWorkspaces: number
  /** Of these, how many for members of a group. */
  readonly maxWorkspacesByGroup: Readonly<Record<string, number>>
  /** How many stand ready without an owner. */
  readonly standby: number
  /** Asked before an idle step; empty: nobody is asked. */
  readonly activityPath: string
  /** Per cent of one processor above which it is busy; zero: not asked. */
  readonly busyCpuPercent: number
  /** However busy it says it is, or however silent it is: it counts as idle when the last use by a person is the idle
   * step and this ago. */
  readonly busyAtMostMs: number
}

/** The way in. */
export interface TemplateRoute {
  /** Host names without port, lower case: exact, or `*.` and a name for any one label before it. */
  readonly hosts: readonly string[]
  /** `/lab`: what lies below that path. `strip`: the workspace does not see it. */
  readonly path?: { readonly prefix: string; readonly strip: boolean }
  /** A port of the director that leads here alone. */
  readonly listenPort?: number
}

export type IdentityField = 'user' | 'subject' | 'groups' | 'email'
export type RequestToken = 'access' | 'id'

export interface Template {
  readonly name: string
  readonly source: TemplateSource
  readonly kind: TemplateKind
  readonly title: string
  readonly description: string
  /** A URL or a data URL; empty: none. */
  readonly icon: string
  readonly prefix: Prefix
  readonly spec: TemplateSpec
  readonly policy: TemplatePolicy
  readonly route: TemplateRoute
  /** Which of the gateway's identity headers reach the application, as they came. */
  readonly passIdentity: readonly IdentityField[]
  /** Which of the gateway's tokens do. */
  readonly passTokens: readonly RequestToken[]
  readonly backgroundRequests: readonly string[]
  readonly connectionIdleMs: number
  /** What in it weakens the hardening, in words for the log. */
  readonly weakened: readonly string[]
}

/** Several people share its workspaces, which have names of their own. */
export function isShared(template: Pick<Template, 'policy'>): boolean {
  return template.policy.seats !== 1
}

/** Something of the person outlives the container. */
export function keepsFiles({ spec }: Template): boolean {
  // `{{` is a brace.
  const namesThem = (text: string) => /\{(?:user|workspace)\}/.test(text.replaceAll('{{', ''))
  return spec.home !== undefined || spec.volumes.some(({ source }) => namesThem(source))
}

/** What its workspaces are served under: `/`, or the path of its route where that is kept. */
export function basePath({ route }: Pick<Template, 'route'>): string {
  return route.path === undefined || route.path.strip ? '/' : `${route.path.prefix}/`
}
