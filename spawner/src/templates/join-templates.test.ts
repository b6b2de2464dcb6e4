import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LabelledImage } from './from-image.ts'
import { joinTemplates, type JoinContext } from './join-templates.ts'
import { testTemplate } from './testing/test-template.ts'

const context: JoinContext = {
  instance: 'berth',
  maxMemoryBytes: 0,
  publicUrl: 'https://berth.org:8443',
  hosts: { public: 'berth.org', portal: 'portal.berth.org' },
  imagesAllowed: ['team/*'],
}
const image = (reference: string, labels: Record<string, string> = {}): LabelledImage => ({
  reference,
  id: `id of ${reference}`,
  labels: { 'orca.kind': 'web', ...labels },
})

function join(images: readonly LabelledImage[], given: Partial<JoinContext> = {}) {
  const described = [testTemplate('lab'), testTemplate('board', { route: { hosts: ['b.org'] } })]
  const { templates, leftOut } = joinTemplates(described, images, { ...context, ...given })
  return { names: [...templates.keys()], leftOut }
}

describe('the templates of all sources', () => {
  it('are the templates of environment and file and those of allowed images', () => {
    const { names, leftOut } = join([image('team/app:1'), image('else/x:1')])
    assert.deepEqual(names, ['lab', 'board', 'app'])
    assert.deepEqual(leftOut, [])
  })

  it('know their address in the browser, an image as well', () => {
    const { templates } = joinTemplates([testTemplate('lab')], [image('team/app:1')], context)
    assert.deepEqual(
      [...templates.values()].map(({ origin }) => origin),
      ['https://berth.org:8443', 'https://app.berth.org:8443'],
    )
  })

  it('contain no image if no image is allowed', () => {
    assert.deepEqual(join([image('team/app:1')], { imagesAllowed: [] }).names, ['lab', 'board'])
  })

  it('contain an image once, even if the engine lists it under several names in any order', () => {
    const [one, two] = [image('team/app:2'), { ...image('team/app:1'), id: 'id of team/app:2' }]
    assert.deepEqual(join([one, two]), join([two, one]))
    assert.deepEqual(join([one, two]), { names: ['lab', 'board', 'app'], leftOut: [] })
  })

  const leftOut: readonly [
    why: string,
    image: LabelledImage,
    word: RegExp,
    given?: Partial<JoinContext>,
  ][] = [
    [
      'has the name of a template of the environment or the file',
      image('team/lab:1'),
      /team\/lab:1 is not a template.*"lab" \(of CONTAINER_\*\) and "lab" \(of the image team\/lab:1\) have the same name/,
    ],
    [
      'has the name of the instance',
      image('team/berth:1'),
      /berth\.image\.name "berth" must differ/,
    ],
    ['would be served on the host of the portal', image('team/portal:1'), /has the portal’s host/],
    [
      'has a home that several people would share',
      image('team/app:1', { 'berth.image.home': '/h' }),
      /berth\.image\.home belongs to one person/,
    ],
    [
      'names a person in a shared command',
      image('team/app:1', { 'berth.image.command': 'x {user}' }),
      /berth\.image\.command names a person/,
    ],
    [
      'has a kind that is not offered',
      image('team/app:1', { 'orca.kind': 'tcp' }),
      /kind tcp, and its labels cannot say who connects/,
    ],
    [
      'has no limit on its memory',
      image('team/app:1', { 'berth.image.memory': '0' }),
      /berth\.image\.memory must be set/,
      { maxMemoryBytes: 2 ** 40 },
    ],
  ]
  for (const [why, wrong, word, given] of leftOut)
    it(`leave out an image that ${why}, report it, and keep the others`, () => {
      const { names, leftOut } = join([wrong, image('team/zz:1')], given)
      assert.deepEqual(names, ['lab', 'board', 'zz'])
      assert.equal(leftOut.length, 1)
      assert.match(leftOut[0] ?? '', word)
    })

  it('contain the first of two images with the same name, and the report names both', () => {
    const { names, leftOut } = join([image('team/app:2'), image('team/app:1')])
    assert.deepEqual(names, ['lab', 'board', 'app'])
    assert.match(
      leftOut.join(),
      /image team\/app:2 is not a template.*of the image team\/app:1\) and "app" \(of the image team\/app:2/,
    )
  })
})
