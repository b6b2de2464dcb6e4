// A template: what the container runs, who may use it, under which policy and at which route. It is parsed once and
// never changed.
import type { BackgroundRequest, QuietFrames } from '@berth/shared/contract'
import type { Scheme } from '@berth/shared/contract'
import type { Prefix, UserName } from '@berth/shared/names'
import type { Network } from '@berth/shared/networks'
import type { Secret } from '@berth/shared/secret'

/** `web`: a website. `tcp`: another service, on a port of its own. `ssh`: a place to sign in to, which no website and no
 * port leads to; the other kinds may have that, too. */
export type TemplateKind = 'web' | 'ssh' | 'tcp'

/** Where the template is described. If two sources have a template of the same name, the earlier source wins. */
export type TemplateSource = 'environment' | 'file' | 'image'

export interface VolumeMount {
  /** `volume`: a volume of that name. `shared`: one volume for each id, which several templates
   * share and all their workspaces may write to. `bind`: a folder of the engine's host, below an allowed folder. */
  readonly kind: 'volume' | 'shared' | 'bind'
  /** Name of a volume (with placeholders such as `{user}`), an id, or an absolute path on the host. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
}

/** What is absent is as the image has it. */
export interface HealthCheck {
  /** `CMD` and words, `CMD-SHELL` and a command, or `NONE`. */
  readonly test?: readonly string[]
  readonly intervalMs?: number
  readonly timeoutMs?: number
  readonly retries?: number
  readonly startPeriodMs?: number
  readonly startIntervalMs?: number
}

export interface SecretMount {
  readonly name: string
  /** Absolute path of the file in the container, by default `/run/secrets/<name>`. */
  readonly target: string
  readonly value: Secret
}

/** A device of the host. A CDI device has a name as its source, and no target. */
export interface Device {
  readonly source: string
  readonly target: string
  /** Letters of `rwm`. */
  readonly permissions: string
}

/** A request for GPUs, in the words of the engine. */
export interface DeviceRequest {
  /** Empty: the engine chooses. */
  readonly driver: string
  /** -1: all. Zero: those of `ids`. */
  readonly count: number
  readonly ids: readonly string[]
  readonly capabilities: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

/** A folder in memory. */
export interface Tmpfs {
  readonly target: string
  /** As for `mount -o`: `size=64m,mode=1777`. Empty: the defaults of the engine. */
  readonly options: string
}

/** -1: no limit. */
export interface Ulimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

/** What a container is created from; the label `berth.spec` is the hash of it. Texts may contain placeholders. Zero: no
 * limit. */
export interface TemplateSpec {
  readonly image: string
  readonly pull: 'missing' | 'always'
  /** Where nothing has to listen, it means nothing. */
  readonly port: number
  /** Absent: that of the image. Empty: none. */
  readonly entrypoint?: readonly string[]
  /** How the application speaks on the port: `tcp` if the kind of the template is; `none` if nothing has to listen. The
   * certificate of `https` is not verified. */
  readonly scheme: Scheme
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly home?: { readonly path: string; readonly volume: string }
  readonly volumes: readonly VolumeMount[]
  /** As in Docker: `1000`, `1000:1000` or a name. Empty: the user of the image. */
  readonly user: string
  readonly memoryBytes: number
  /** Memory and swap together, as in Docker. Equal to `memoryBytes`: no swap. */
  readonly memorySwapBytes: number
  /** Zero: the engine's default. */
  readonly shmBytes: number
  readonly cpus: number
  readonly pids: number
  readonly secrets: readonly SecretMount[]
  /** Networks on the engine that the container joins, in addition to its own network. */
  readonly networks: readonly string[]
  /** Whether the init program of the engine is process 1. */
  readonly init: boolean
  readonly capAdd: readonly string[]
  readonly securityOpt: readonly string[]
  readonly devices: readonly Device[]
  readonly gpus: readonly DeviceRequest[]
  readonly tmpfs: readonly Tmpfs[]
  readonly ulimits: readonly Ulimit[]
  /** As the engine takes them: `name:address`. */
  readonly extraHosts: readonly string[]
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> }
  /** Empty: the engine's default. */
  readonly runtime: string
  /** `none`: the network of the container reaches the directors only. */
  readonly egress: 'internet' | 'none'
  readonly readyPath: string
  /** Absent: the health check of the image. */
  readonly healthcheck?: HealthCheck
  readonly stopSignal: string
  readonly stopTimeoutMs: number
}

/** Who may have a workspace of the template, and when a workspace freezes, stops and is removed. Zero: off, or no
 * limit. */
export interface TemplatePolicy {
  /** How many people use one workspace at once. 1: each person has a private workspace under their own name. */
  readonly seats: number
  /** How many different people one workspace accepts in its lifetime. */
  readonly seatsTotal: number
  /** A seat of a shared workspace ends this long after its last use. */
  readonly seatIdleMs: number
  /** False: the seat ends when its last connection closes, and a private workspace with it. */
  readonly persistBetweenReconnects: boolean
  /** The idle steps are all counted from the last use. */
  readonly idleFreezeMs: number
  readonly idleStopMs: number
  readonly idleRemoveMs: number
  readonly maxLifetimeMs: number
  /** After this time the workspace accepts no new people, and it ends when the last person leaves. */
  readonly drainAfterMs: number
  /** What one extension by the person adds to the lifetime. Zero: the person cannot extend it. */
  readonly extensionMs: number
  readonly startTimeoutMs: number
  /** `click`: a visit shows a page with a start button, and starts nothing. `request`: a visit, and also a page's own
   * request that is no background request. */
  readonly startsBy: 'visit' | 'click' | 'request'
  readonly allowedUsers: readonly string[]
  readonly allowedGroups: readonly string[]
  /** People without a sign-in may have one, too. */
  readonly allowsGuests: boolean
  /** How many workspaces of this template may exist at once. */
  readonly maxWorkspaces: number
  /** How many of these may belong to members of a group. */
  readonly maxWorkspacesByGroup: Readonly<Record<string, number>>
  /** How many workspaces are kept ready in advance, without an owner. */
  readonly standby: number
  /** The path of the activity check before an idle step. Empty: there is no such check. */
  readonly activityPath: string
  /** A workspace that uses more per cent of one processor than this is busy. Zero: the use is not checked. */
  readonly busyCpuPercent: number
  /** A workspace counts as idle when the last use by a person is longer ago than the idle step and this time together,
   * even if the workspace is busy or does not answer the activity check. */
  readonly busyAtMostMs: number
}

/** At which addresses the workspaces of the template are reached. */
export interface TemplateRoute {
  /** Host names without port, in lower case. `*.example.com` matches every host with one label before `example.com`. */
  readonly hosts: readonly string[]
  /** The path `/lab` and all paths below it. `strip`: the director removes the prefix before it forwards a request. */
  readonly path?: { readonly prefix: string; readonly strip: boolean }
  /** A port of the director that leads to this template only. */
  readonly listenPort?: number
}

export type IdentityField = 'user' | 'subject' | 'groups' | 'email'
export type RequestToken = 'access' | 'id'

/** How a login without a browser gets into the container. */
export type TemplateLogin =
  | {
      /** What a shell is: a process of its own, or the first process of the container. */
      readonly method: 'exec' | 'attach'
      /** A program of the image. It knows `-l` and `-c`. */
      readonly shell: string
      /** As in Docker. Empty: the user of the container. */
      readonly user: string
    }
  | {
      /** Sessions go to an SSH server in the container. */
      readonly method: 'connect'
      /** Whom they sign in as. */
      readonly user: string
      readonly port: number
    }

export const seatsBy = ['address', 'connection'] as const
export type SeatsBy = (typeof seatsBy)[number]

/** Who the clients are that connect to a port, and cannot sign in. */
export interface TemplateTcp {
  /** From which networks each person connects. */
  readonly sources: readonly { readonly user: UserName; readonly networks: readonly Network[] }[]
  /** A proxy in front tells the name in the certificate of the client: that is the user name. */
  readonly certificates: boolean
  /** What one guest is, and so has one seat, where guests may connect. */
  readonly seatsBy: SeatsBy
}

export interface Template {
  readonly name: string
  readonly source: TemplateSource
  readonly kind: TemplateKind
  readonly title: string
  readonly description: string
  /** A URL or a data URL. Empty: no icon. */
  readonly icon: string
  readonly prefix: Prefix
  readonly spec: TemplateSpec
  readonly policy: TemplatePolicy
  readonly route: TemplateRoute
  /** Scheme, host and port of that address, as browsers have them. Absent: Berth does not know them. */
  readonly origin?: string
  /** A person who comes to `/` is led to this path; below the prefix of the route. Empty: they stay at `/`. */
  readonly open: string
  /** Which identity headers of the gateway the director passes to the application unchanged. */
  readonly passIdentity: readonly IdentityField[]
  /** Which tokens of the gateway the director passes to the application. */
  readonly passTokens: readonly RequestToken[]
  readonly backgroundRequests: readonly BackgroundRequest[]
  /** The pages of the application get a script that starts the workspace when a person clicks or types in an open page. */
  readonly banner: boolean
  /** The frames of a WebSocket's client that are no use. */
  readonly quietFrames: readonly QuietFrames[]
  readonly connectionIdleMs: number
  /** Absent: nobody signs in to it. Present if the kind is `ssh`. */
  readonly ssh?: TemplateLogin
  /** Present if the kind is `tcp`. */
  readonly tcp?: TemplateTcp
  /** The settings of the template that weaken the hardening, as phrases for the log. */
  readonly weakened: readonly string[]
}

/** Whether several people share a workspace. Such a workspace is not named after a person. */
export function isShared(template: Pick<Template, 'policy'>): boolean {
  return template.policy.seats !== 1
}

/** Whether files of the person stay when the container is removed. */
export function keepsFiles({ spec }: Template): boolean {
  // `{{` stands for a brace, so it does not begin a placeholder.
  const namesThem = (text: string) => /\{(?:user|workspace)\}/.test(text.replaceAll('{{', ''))
  return spec.home !== undefined || spec.volumes.some(({ source }) => namesThem(source))
}

/** The path that the application sees as its root: the path of the route if the director keeps it, else `/`. */
export function basePath({ route }: Pick<Template, 'route'>): string {
  return route.path === undefined || route.path.strip ? '/' : `${route.path.prefix}/`
}
