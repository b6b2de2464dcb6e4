// A template: something that can be run, and under which policy. Parsed once, frozen, known by its spec.
import type { Prefix } from '@berth/shared/names'

export interface VolumeMount {
  /** Name of a volume, with placeholders such as `{user}`. */
  readonly source: string
  /** Absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
}

/** When its workspaces stop and go. Zero is off. */
export interface TemplatePolicy {
  readonly idleStopMs: number
  readonly idleRemoveMs: number
  readonly maxLifetimeMs: number
  readonly startTimeoutMs: number
  readonly allowedUsers: readonly string[]
  readonly allowedGroups: readonly string[]
}

/** What a container is made from. Texts may hold placeholders. */
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
  readonly cpus: number
  readonly pids: number
  readonly readyPath: string
  readonly stopSignal: string
  readonly stopTimeoutMs: number
}

export interface Template {
  readonly name: string
  readonly title: string
  readonly prefix: Prefix
  readonly spec: TemplateSpec
  readonly policy: TemplatePolicy
  readonly hosts: readonly string[]
  readonly backgroundRequests: readonly string[]
  readonly connectionIdleMs: number
}
