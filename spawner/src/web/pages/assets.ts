// The style, the scripts and the icon of the pages. They lie in a folder whose name changes with their content, so browsers
// may cache them for a long time, and scripts may import each other.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestHandler } from 'express'
import { BerthError } from '@berth/shared/problems'

/** Paths below the base of the route. */
export interface Assets {
  readonly style: string
  readonly script: string
  /** What the script imports. */
  readonly modules: readonly string[]
  /** The worker that ticks. */
  readonly clock: string
  readonly icon: string
  /** The module for the pages of applications. */
  readonly banner: string
  readonly portalStyle: string
  readonly portalScript: string
  /** What the scripts of the portal and of the administrator's page import. */
  readonly portalModules: readonly string[]
  readonly adminStyle: string
  readonly adminScript: string
  readonly historyStyle: string
  /** The handler of `/.berth/assets/:version/:name`. */
  readonly serve: RequestHandler<{ version: string; name: string }>
}

const names = [
  'page.css',
  'page.js',
  'feed.js',
  'durations.js',
  'settle.js',
  'banner.js',
  'clock.js',
  'mark.svg',
  'portal.css',
  'portal.js',
  'live.js',
  'admin.css',
  'admin.js',
  'history.css',
] as const

const types = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

export function createAssets(): Assets {
  const bodies = new Map<string, Buffer>()
  const hash = createHash('sha256')
  for (const name of names) {
    const body = readFileSync(new URL(`./assets/${name}`, import.meta.url))
    bodies.set(name, body)
    hash.update(body)
  }
  const version = hash.digest('hex').slice(0, 16)
  const pathOf = (name: (typeof names)[number]): string => `/.berth/assets/${version}/${name}`

  return {
    style: pathOf('page.css'),
    script: pathOf('page.js'),
    modules: [pathOf('feed.js'), pathOf('durations.js'), pathOf('settle.js')],
    clock: pathOf('clock.js'),
    icon: pathOf('mark.svg'),
    banner: pathOf('banner.js'),
    portalStyle: pathOf('portal.css'),
    portalScript: pathOf('portal.js'),
    portalModules: [pathOf('live.js'), pathOf('durations.js')],
    adminStyle: pathOf('admin.css'),
    adminScript: pathOf('admin.js'),
    historyStyle: pathOf('history.css'),
    serve(request, response) {
      const { version: wanted, name } = request.params
      const body = wanted === version ? bodies.get(name) : undefined
      if (body === undefined) throw new BerthError('template_unknown', 'There is no such file.')
      response.setHeader('content-type', types[name.split('.').at(-1) as keyof typeof types])
      response.setHeader('cache-control', 'public, max-age=31536000, immutable')
      response.setHeader('x-content-type-options', 'nosniff')
      response.end(body)
    },
  }
}
