import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Container } from '../domain.ts'
import { isOutdated } from '../lifecycle/outdated.ts'
import { withReady } from '../testing/scenario.ts'
import { addressOf } from './address.ts'

describe('a workspace whose container was made with', () => {
  /** The template says port 8888 and http. */
  function madeWith(entrance: Pick<Container, 'port' | 'scheme'>) {
    const story = withReady(['ann'])
    const workspace = story.workspace('ann')
    assert.ok(workspace.container !== undefined)
    const made = { ...workspace, container: { ...workspace.container, ...entrance } }
    const address = addressOf(story.state.config, made)
    return { address, outdated: isOutdated(story.state, made) }
  }
  const host = '10.213.0.2'

  it('another port is reached on its own port, and is outdated', () => {
    const address = { host, port: 9999 }
    assert.deepEqual(madeWith({ port: 9999, scheme: 'http' }), { address, outdated: true })
  })

  it('another scheme is reached by its own scheme, and is outdated', () => {
    const address = { host, port: 8888, scheme: 'https' }
    assert.deepEqual(madeWith({ port: 8888, scheme: 'https' }), { address, outdated: true })
  })

  it('the scheme tcp is told so, so that nobody sends it HTTP', () => {
    const address = { host, port: 8888, scheme: 'tcp' }
    assert.deepEqual(madeWith({ port: 8888, scheme: 'tcp' }), { address, outdated: true })
  })

  it('the same port and scheme, or before both were recorded, is reached as its template says', () => {
    const address = { host, port: 8888 }
    assert.deepEqual(madeWith({ port: 8888, scheme: 'http' }), { address, outdated: false })
    assert.deepEqual(madeWith({}), { address, outdated: false })
  })
})
