// Whose a thing on the engine is, by its labels. Pure. What is not surely ours is never touched.
import { labels } from '@berth/shared/labels'
import type { NetworkIndex } from '../../policy/domain.ts'

export type Labels = Readonly<Record<string, string>>

/** An image that carries one of these would lend it to every container made from it. */
const reserved = new Set<string>(Object.values(labels))

/** @returns the first reserved label that an image carries, if it carries one */
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

/** @returns the number of a network of ours; `undefined` for any other name */
export function networkIndex(instance: string, name: string): NetworkIndex | undefined {
  const prefix = `${instance}-ws-`
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : ''
  return /^\d{5,7}$/.test(digits) ? Number(digits) : undefined
}

/** A director's id is its host name: the first twelve characters of its container's id. */
export function shortId(containerId: string): string {
  return containerId.slice(0, 12)
}

/** Names come with a slash before them. */
export function plainName(name: string): string {
  return name.replace(/^\//, '')
}
