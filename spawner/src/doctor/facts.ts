// What the doctor knows when it judges: facts that adapters gathered, or the reason why a fact is missing.
import type { Secret } from '@berth/shared/secret'
import type { Subnet, SubnetPool } from '@berth/shared/subnet-pool'
import type { Template } from '../templates/template.ts'

/** A fact, or why it could not be found out. */
export type Gathered<T> = { readonly value: T } | { readonly failure: string }

export interface SocketFacts {
  readonly dockerHost: string
  /** Of the path of a local socket. */
  readonly path?: {
    readonly kind: 'socket' | 'absent' | 'other'
    readonly mode: number
    readonly uid: number
    readonly gid: number
  }
  readonly uid: number
  /** Why the engine did not answer. Absent: it answered. */
  readonly failure?: string
}

export interface EngineFacts {
  /** `Docker Engine`, or another product that speaks the same API. */
  readonly product: string
  readonly version: string
  readonly apiVersion: string
  readonly system: string
  readonly storageDriver: string
  /** `false`: the file system below the driver cannot tell the type of an entry. */
  readonly hasEntryTypes: boolean
  readonly memoryBytes: number
  readonly countsSwap: boolean
  /** How far the engine's clock is ahead of this process's. */
  readonly aheadMs: number
  /** The networks that the engine takes subnets from by itself, where the administrator set them. */
  readonly defaultPools: readonly string[]
}

export interface RoomFacts {
  readonly what: string
  readonly freeBytes: number
  readonly totalBytes: number
  readonly freeFiles: number
  /** 0: this file system has no fixed number of files. */
  readonly totalFiles: number
}

export interface HostFacts {
  readonly rooms: readonly RoomFacts[]
  readonly availableMemoryBytes: number
  readonly routes: readonly Route[]
  /** The ports at which a program of the host listens. */
  readonly listening: readonly number[]
}

export interface Route {
  readonly subnet: Subnet
  readonly device: string
}

/** What a container met that tried to use more than its limits. */
export interface LimitFacts {
  readonly memory: 'bound' | 'free'
  readonly pids: 'bound' | 'free'
  /** As its cgroup says; `undefined`: no limit. */
  readonly cpus: number | undefined
  /** The limit that it was made with. */
  readonly madeWithCpus: number
}

/** What the engine's networks say about the pool. */
export interface NetworkFacts {
  readonly pool: SubnetPool
  /** Networks of the engine that are not ours and overlap the pool. */
  readonly foreign: readonly { readonly name: string; readonly subnets: readonly string[] }[]
  /** How many of the pool's subnets these take. */
  readonly taken: number
  /** The host's devices of these and all other networks of the engine. */
  readonly devices: readonly string[]
}

export interface PoolFacts extends NetworkFacts {
  /** How many workspaces may run, and networks be spare; `undefined`: as many as there is room for. */
  readonly wanted: number | undefined
  readonly routes: readonly Route[]
  readonly defaultPools: readonly string[]
}

/** One container asked for another by its name. */
export interface NameFacts {
  readonly name: string
  readonly expected: string
  readonly resolved: string | undefined
  readonly answered: boolean
  readonly error: string | undefined
}

/** One GET, asked from where the gateway is. */
export interface AskedUrl {
  readonly url: string
  readonly status?: number | undefined
  readonly date?: string | undefined
  /** Of a discovery document. */
  readonly issuer?: string | undefined
  readonly error?: { readonly code: string; readonly message: string } | undefined
  readonly sentAt: number
  readonly receivedAt: number
}

export interface Asked {
  /** In the director, which is on the gateway's network, or in this process. */
  readonly from: 'director' | 'spawner'
  readonly answers: readonly AskedUrl[]
}

export interface ServiceFacts {
  readonly role: string
  readonly name: string
  readonly running: boolean
  readonly health: string | undefined
  readonly environment: Readonly<Record<string, string>>
}

export interface KnownSecret {
  readonly name: string
  /** `gateway`, `director`, `spawner`, or the environment file. */
  readonly where: string
  /** `undefined`: not set. */
  readonly secret: Secret | undefined
  /** It comes from a file that the doctor cannot read. */
  readonly inFile: boolean
}

export interface WantedPort {
  readonly variable: string
  readonly port: number
}

export interface PublishedPort {
  readonly port: number
  readonly container: string
  readonly isOurs: boolean
}

export interface ImageFacts {
  readonly template: string
  readonly image: string
  readonly state: 'present' | 'pullable' | { readonly failure: string }
}

export interface Offered {
  readonly templates: readonly Template[]
  /** Why workspaces that run do not fit the settings, if they do not. */
  readonly conflict: string | undefined
}

export interface DataFolderFacts {
  readonly path: string
  /** Absent: a file could be written. */
  readonly failure?: string
}

/** What only a program on the host can tell; `npm run doctor` sends it. */
export interface TellsFromHost {
  readonly secrets: Readonly<Record<string, string>>
  readonly environmentFile?: { readonly path: string; readonly mode: number } | undefined
}
