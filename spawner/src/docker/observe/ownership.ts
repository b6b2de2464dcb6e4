// Decides by labels whether a thing on the engine is ours. Pure. A thing that is in doubt is never touched.
import { labels } from '@berth/shared/labels'
import type { NetworkIndex } from '../../policy/domain.ts'

export type Labels = Readonly<Record<string, string>>

/** An image with one of these labels would pass it on to every container created from it. */
const reserved = new Set<string>(Object.values(labels))

/** @returns the first reserved label of an image, or `undefined` if it has none */
export function reservedLabel(imageLabels: Labels | null | undefined): string | undefined {
  return Object.keys(imageLabels ?? {}).find((label) => reserved.has(label))
}

export function isOurs(instance: string, carried: Labels | null | undefined): boolean {
  return carried?.[labels.instance] === instance
}

/** Sorts after `<instance>-front`, so that the front network stays a director's default route. */
export function networkName(instance: string, index: NetworkIndex): string {
  return `${instance}-ws-${String(index).padStart(5, '0')}`
}

/** @returns the index of a network of ours; `undefined` for any other name */
export function networkIndex(instance: string, name: string): NetworkIndex | undefined {
  const prefix = `${instance}-ws-`
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^\d{5,7}$/.test(digits) ? Number(digits) : undefined
}

/** A director's id is its host name: the first twelve characters of its container's id. */
export function shortId(containerId: string): string {
  return containerId.slice(0, 12)
}

/** The engine puts a slash before the name of a container. */
export function plainName(name: string): string {
  return name.replace(/^\//, '')
}
