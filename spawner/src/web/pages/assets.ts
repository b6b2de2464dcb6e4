// The style, the script and the icon of the pages. Their names change with their content, so browsers may cache them
// for a long time.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestHandler } from 'express'
import { BerthError } from '@berth/shared/problems'

/** Paths below the base of the route. */
export interface Assets {
  readonly style: string
  readonly script: string
  readonly icon: string
  /** The handler of `/.berth/assets/:name`. */
  readonly serve: RequestHandler<{ name: string }>
}

const types = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

export function createAssets(): Assets {
  const byName = new Map<string, { readonly body: Buffer; readonly type: string }>()

  function add(name: string, extension: keyof typeof types): string {
    const body = readFileSync(new URL(`./assets/${name}.${extension}`, import.meta.url))
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 16)
    const served = `${name}.${digest}.${extension}`
    byName.set(served, { body, type: types[extension] })
    return `/.berth/assets/${served}`
  }

  return {
    style: add('page', 'css'),
    script: add('page', 'js'),
    icon: add('mark', 'svg'),
    serve(request, response) {
      const asset = byName.get(request.params.name)
      if (asset === undefined) throw new BerthError('template_unknown', 'There is no such file.')
      response.setHeader('content-type', asset.type)
      response.setHeader('cache-control', 'public, max-age=31536000, immutable')
      response.setHeader('x-content-type-options', 'nosniff')
      response.end(asset.body)
    },
  }
}
