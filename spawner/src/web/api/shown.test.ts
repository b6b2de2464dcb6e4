import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Workspace } from '../../policy/domain.ts'
import { nameOf, withReady, type Scenario } from '../../policy/testing/scenario.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { hexOf } from '../testing/api.ts'
import { showTemplate, showWorkspace, urlOfWorkspace } from './shown.ts'

const origin = 'https://lab.example.com:8443'
const lab = testTemplate('lab', {
  origin,
  route: { hosts: [], path: { prefix: '/lab', strip: true } },
})
const site = { hexOf, publicUrl: 'https://berth.example.com:8443' }
const workspace = (kind: Workspace['kind']) => ({ name: 'lab-ann' as Workspace['name'], kind })

describe('the exit code in the API', () => {
  const shown = (story: Scenario) =>
    showWorkspace(story.state, story.workspace('ann'), site, { now: story.now, wallStart: 0 })

  it('is that of a container that ended by itself', () => {
    const story = withReady(['ann'])
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-died', generation, exitCode: 3 })
    assert.equal(shown(story).container?.exitCode, 3)
  })

  it('is not that of a container that was stopped', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys()
    assert.equal(story.workspace('ann').phase, 'stopped')
    assert.notEqual(story.workspace('ann').container?.exitCode, undefined)
    assert.equal(shown(story).container?.exitCode, undefined)
  })
})

describe('the address in the API', () => {
  it('of a template is where people reach it', () => {
    assert.equal(showTemplate(lab).url, `${origin}/lab/`)
    assert.equal('url' in showTemplate(testTemplate('lab')), false)
  })

  it('of a person’s workspace is that of its template', () => {
    assert.equal(urlOfWorkspace(workspace('private'), lab, site), `${origin}/lab/`)
    assert.equal(urlOfWorkspace(workspace('private'), undefined, site), undefined)
  })

  it('of a shared workspace is its own host name: that of the template may lead to another one', () => {
    const hex = hexOf(workspace('shared').name)
    const url = `https://${hex}.berth.example.com:8443/`
    assert.equal(urlOfWorkspace(workspace('shared'), lab, site), url)
    assert.equal(
      urlOfWorkspace(workspace('shared'), lab, { hexOf, publicUrl: undefined }),
      undefined,
    )
  })

  it('does not exist for a workspace that nobody has yet', () => {
    assert.equal(urlOfWorkspace(workspace('standby'), lab, site), undefined)
  })
})
