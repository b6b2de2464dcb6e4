import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { flush, userOf } from '../../loop/testing/test-loop.ts'
import { hexOf, startApi } from '../testing/api.ts'

const image = 'berth/lab'
const full = 'Error: max available containers reached!'

const nameOf = (user: string) => `lab-${user}` as Parameters<typeof hexOf>[0]

describe('POST /spawn', () => {
  it('answers with the hex of a running container', async () => {
    await using api = await startApi()
    api.director()
    const answer = await api.form('/spawn', { container_id: image, user_id: 'ann' })
    assert.deepEqual([answer.status, answer.text], [200, hexOf(nameOf('ann'))])
    assert.match(answer.text, /^[0-9a-f]{32}$/)
    assert.match(String(answer.headers.get('content-type')), /^text\/plain/)
    assert.equal(api.workspaces.state().workspaces.get(nameOf('ann'))?.container?.status, 'running')
  })

  it('answers with the same hex for the same person and image, also for requests at the same time', async () => {
    await using api = await startApi()
    api.director()
    const spawn = (container_id: string) => api.form('/spawn', { container_id, user_id: 'ann' })
    const answers = await Promise.all([spawn(image), spawn('lab'), spawn(`${image}:latest`)])
    answers.push(await spawn(`docker.io/${image}`))
    assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set([hexOf(nameOf('ann'))]))
    assert.equal(api.workspaces.state().workspaces.size, 1)
  })

  it('answers 409 if no place is free, and leaves the queue empty', async () => {
    await using api = await startApi({ limits: { maxWorkspaces: 1 } })
    api.director()
    await api.form('/spawn', { container_id: image, user_id: 'ann' })
    const answer = await api.form('/spawn', { container_id: image, user_id: 'bob' })
    assert.deepEqual([answer.status, answer.text], [409, full])
    assert.deepEqual(api.workspaces.state().queue, [])
  })

  it('waits if a place is free and only too many workspaces are starting', async () => {
    await using api = await startApi({ limits: { maxWorkspaces: 3, maxStarting: 1 } })
    api.director()
    const answers = await Promise.all(
      ['ann', 'bob', 'cid', 'dan'].map((user_id) =>
        api.form('/spawn', { container_id: image, user_id }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    assert.deepEqual(statuses.toSorted(), [200, 200, 200, 409])
    assert.deepEqual(api.workspaces.state().queue, [])
  })

  it('keeps the place in the queue of a person who waits on a page', async () => {
    await using api = await startApi({ limits: { maxWorkspaces: 1 } })
    api.director()
    await api.form('/spawn', { container_id: image, user_id: 'ann' })
    api.workspaces.requestStart(userOf('bob'), 'lab')
    assert.deepEqual(api.workspaces.state().queue, [nameOf('bob')])
    const fields = { container_id: image, user_id: 'bob', subject: 'u-bob' }
    assert.equal((await api.form('/spawn', fields)).status, 409)
    assert.deepEqual(api.workspaces.state().queue, [nameOf('bob')])
  })

  it('answers 500 with the reason when the container does not start', async () => {
    await using api = await startApi()
    api.director()
    api.engine.fail('ensureImage', { code: 'image_missing', detail: 'No such image.' })
    const answer = await api.form('/spawn', { container_id: image, user_id: 'ann' })
    assert.deepEqual([answer.status, answer.text], [500, 'Error: No such image.'])
  })

  for (const [name, fields, text] of [
    ['no image', { user_id: 'ann' }, "Bad request: field 'container_id' is required"],
    ['no user', { container_id: image }, "Bad request: field 'user_id' is required"],
    [
      'an empty user',
      { container_id: image, user_id: '' },
      "Bad request: field 'user_id' is required",
    ],
    [
      'an image of no template',
      { container_id: 'debian', user_id: 'ann' },
      'Bad request: unknown image',
    ],
    [
      'a tag of no template',
      { container_id: `${image}:2`, user_id: 'ann' },
      'Bad request: unknown image',
    ],
    [
      'an invalid user name',
      { container_id: image, user_id: 'a\nb' },
      "Bad request: field 'user_id' is not a valid user name",
    ],
  ] as const)
    it(`answers 400 to ${name}, and starts nothing`, async () => {
      await using api = await startApi()
      const answer = await api.form('/spawn', fields)
      assert.deepEqual([answer.status, answer.text], [400, text])
      assert.equal(api.workspaces.state().workspaces.size, 0)
    })

  it('hazard: requires a subject that is not empty for an unknown user of an image with a home', async () => {
    await using api = await startApi()
    api.director()
    const [lab] = api.config.templates.values()
    assert.ok(lab)
    const spec = { ...lab.spec, home: { path: '/home/me', volume: '{user}-home' } }
    const templates = new Map([['lab', { ...lab, spec }]])
    api.workspaces.reconfigure({ ...api.config, templates })
    const fields = { container_id: 'lab', user_id: 'ann', subject: '' }
    const answer = await api.form('/spawn', fields)
    assert.equal(answer.status, 400, answer.text)
    assert.match(answer.text, /field 'subject' is required/)
    assert.equal(api.workspaces.state().workspaces.size, 0)
  })

  it('treats a field that is given twice as missing', async () => {
    await using api = await startApi()
    const body = 'container_id=berth/lab&container_id=other&user_id=ann'
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await api.ask('/spawn', { method: 'POST', body, headers })
    assert.equal(answer.text, "Bad request: field 'container_id' is required")
  })
})

describe('POST /stop', () => {
  it('removes the container and answers after that', async () => {
    await using api = await startApi()
    api.director()
    const { text: container_hex } = await api.form('/spawn', {
      container_id: image,
      user_id: 'ann',
    })
    const stopping = api.form('/stop', { container_hex })
    const answer = await stopping
    assert.deepEqual([answer.status, answer.text], [200, 'successfully removed docker'])
    await flush()
    assert.equal(api.workspaces.state().workspaces.get(nameOf('ann'))?.container, undefined)
    assert.equal((await api.form('/stop', { container_hex })).status, 400)
  })

  it('answers 400 without a hex and to an unknown hex', async () => {
    await using api = await startApi()
    const missing = await api.form('/stop', { x: '' })
    assert.deepEqual(
      [missing.status, missing.text],
      [400, "Bad request: field 'container_hex' is required"],
    )
    assert.equal((await api.form('/stop', { container_hex: '0'.repeat(32) })).status, 400)
  })
})

describe('/get_container_hex', () => {
  it('answers with hex and image to GET and POST, and with 404 for a person without a container', async () => {
    await using api = await startApi()
    api.director()
    await api.form('/spawn', { container_id: image, user_id: 'ann' })
    const expected = [200, `${hexOf(nameOf('ann'))}:${image}`]
    const got = await api.ask('/get_container_hex?user_id=ann')
    const posted = await api.form('/get_container_hex', { user_id: 'ann' })
    assert.deepEqual([got.status, got.text], expected)
    assert.deepEqual([posted.status, posted.text], expected)
    assert.equal((await api.ask('/get_container_hex?user_id=bob')).status, 404)
    assert.equal((await api.ask('/get_container_hex')).status, 400)
  })
})
