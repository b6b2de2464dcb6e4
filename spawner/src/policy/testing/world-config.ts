// For the model test: the limits and templates of the simulated world, which may change while it runs.
import { parsePrefix, type Prefix } from '@berth/shared/names'
import type { PolicyConfig } from '../domain.ts'
import { leaseTimes } from '../state/lease-times.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import type { Template } from '../../templates/template.ts'
import { configWith, templateWith } from './scenario.ts'
import type { WorldOptions } from './world-facts.ts'

/** What an administrator may change while workspaces run. Zero is no limit. */
export interface WorldSettings {
  readonly maxWorkspaces: number
  readonly maxWorkspacesPerUser: number
  /** At least as much as one workspace of any template needs, or zero. */
  readonly maxMemory: number
  /** Nobody new is admitted. */
  readonly maintenance: boolean
  readonly lab: TemplateSettings
  readonly hub: HubSettings
}

export interface TemplateSettings {
  readonly name: string
  readonly prefix: string
  readonly memory: number
  readonly maxWorkspaces: number
  /** The most workspaces of the group that every person is in. */
  readonly maxOfGroup: number
  /** Nobody may start it anew. */
  readonly isClosed: boolean
}

export interface HubSettings extends TemplateSettings {
  /** Each person has a workspace of their own, whatever the world's options say. */
  readonly isPrivate: boolean
}

export interface SettingsChange extends Partial<Omit<WorldSettings, 'lab' | 'hub'>> {
  readonly lab?: Partial<TemplateSettings>
  readonly hub?: Partial<HubSettings>
}

/** The group of every person in this world. */
export const group = 'staff'

export function firstSettings(options: WorldOptions): WorldSettings {
  const unlimited = { maxWorkspaces: 0, maxOfGroup: 0, isClosed: false }
  return {
    maxWorkspaces: options.maxWorkspaces,
    maxWorkspacesPerUser: 0,
    maxMemory: options.maxMemory,
    maintenance: false,
    lab: { ...unlimited, name: 'lab', prefix: 'lab', memory: 1 },
    hub: {
      ...unlimited,
      name: 'hub',
      prefix: 'hub',
      memory: 2,
      isPrivate: false,
      maxWorkspaces: options.hub.maxWorkspaces,
    },
  }
}

export function changed(settings: WorldSettings, change: SettingsChange): WorldSettings {
  return {
    ...settings,
    ...change,
    lab: { ...settings.lab, ...change.lab },
    hub: { ...settings.hub, ...change.hub },
  }
}

export function worldConfig(options: WorldOptions, settings: WorldSettings): PolicyConfig {
  const templates = [labOf(options, settings.lab), hubOf(options, settings.hub)]
  const closed = [settings.lab, settings.hub].filter(({ isClosed }) => isClosed)
  return configWith({
    limits: {
      maxWorkspaces: settings.maxWorkspaces,
      maxWorkspacesPerUser: settings.maxWorkspacesPerUser,
      maxStarting: options.maxStarting,
      maxGuests: options.maxGuests,
      maxQueue: options.maxQueue,
      maxMemoryBytes: settings.maxMemory,
    },
    config: {
      house: {
        closed: new Map(closed.map(({ name }) => [name, 'for a reason'])),
        ...(settings.maintenance ? { maintenance: 'for a reason' } : {}),
      },
      templates: new Map(templates.map((template) => [template.name, template])),
      lease: leaseTimes(templates),
      spareNetworks: options.spareNetworks,
      networkCount: options.networkCount,
      presenceMs: 6_000,
      retryAfterMs: 1_000,
      forgetAfterMs: 120_000,
      specOf,
      partsOf: () => '',
    },
  })
}

/** The spec of a container. Only the memory changes in this world. */
export function specOf({ spec }: Template): string {
  return `spec-${spec.memoryBytes}`
}

function labOf(options: WorldOptions, settings: TemplateSettings): Template {
  const homely = templateWith({
    ...policyOf(settings),
    idleFreezeMs: options.idleFreezeMs,
    idleStopMs: options.idleStopMs,
    idleRemoveMs: options.idleRemoveMs,
    // Standbys that are replaced all the time would never let the world become calm.
    maxLifetimeMs: options.standby > 0 ? 0 : options.maxLifetimeMs,
    extensionMs: 3_000,
    activityPath: options.veto.asks ? '/api/status' : '',
    busyCpuPercent: options.veto.measures ? 20 : 0,
    busyAtMostMs: options.veto.atMostMs,
    startTimeoutMs: 8_000,
    standby: options.standby,
  })
  const homeless = testTemplate('lab', { spec: { readyPath: '/api' }, policy: homely.policy })
  return named(options.standby === 0 ? homely : homeless, settings)
}

/** A template whose workspaces are shared if `hub.seats` is more than one. */
function hubOf({ hub, idleStopMs, idleRemoveMs }: WorldOptions, settings: HubSettings) {
  const template = testTemplate('hub', {
    spec: { readyPath: '/' },
    policy: {
      ...policyOf(settings),
      seats: settings.isPrivate ? 1 : hub.seats,
      seatsTotal: settings.isPrivate ? 0 : hub.seatsTotal,
      seatIdleMs: hub.seatIdleMs,
      persistBetweenReconnects: hub.persists,
      drainAfterMs: hub.drainAfterMs,
      startTimeoutMs: 8_000,
      idleStopMs,
      idleRemoveMs,
    },
  })
  return named(template, settings)
}

function policyOf({ maxWorkspaces, maxOfGroup }: TemplateSettings) {
  const maxWorkspacesByGroup = { [group]: maxOfGroup }
  return { maxWorkspaces, maxWorkspacesByGroup, allowsGuests: true }
}

function named(template: Template, { name, prefix, memory }: TemplateSettings): Template {
  return {
    ...template,
    name,
    prefix: parsePrefix(prefix) as Prefix,
    spec: { ...template.spec, memoryBytes: memory },
  }
}
