import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkSettings, checkTemplates } from './check-settings.ts'

const enough = {
  INTERNAL_SECRET: '0123456789abcdef',
  CONTAINER_IMAGE: 'berth/lab',
  CONTAINER_HOST_PREFIX: 'lab',
  CONTAINER_PORT: '8888',
}
const file = '/etc/berth/templates.yml'

const filesOf = (texts: Readonly<Record<string, string>>) => ({
  read(path: string): string {
    const text = texts[path]
    if (text === undefined) throw new Error(`there is no ${path}`)
    return text
  },
  beside: (of: string, path: string) => join(of, '..', path),
})

function problemsOf(env: Record<string, string>, templates?: string): readonly string[] {
  const texts = templates === undefined ? {} : { [file]: templates }
  const named = templates === undefined ? {} : { TEMPLATES_FILE: file }
  return checkSettings({ ...enough, ...named, ...env }, filesOf(texts)).problems
}

describe('the check of settings', () => {
  it('finds nothing wrong with the least settings', () => {
    const { problems, config } = checkSettings(enough, filesOf({}))
    assert.deepEqual(problems, [])
    assert.deepEqual([...(config?.templates.keys() ?? [])], ['lab'])
  })

  it('names wrong settings of spawner and director and all faults of the templates file at once', () => {
    const problems = problemsOf(
      { MAX_STARTING: 'lots', LOADING_PAGE_AFTER: 'soon', CONTAINER_PORT: 'x', MAX_WORKSPACE: '3' },
      'templates:\n  hello: { image: berth/hello, port: 8080, route: { port: 1 }, cpus: many }\n  bye: { image: b, prot: 1, route: { port: 2 } }\n',
    )
    const told = problems.map((problem) => problem.replace(/ (must|is) .*/, ' $1'))
    assert.deepEqual(told, [
      'CONTAINER_PORT "x" must',
      'MAX_STARTING "lots" must',
      'MAX_WORKSPACE is',
      'LOADING_PAGE_AFTER "soon" must',
      `TEMPLATES_FILE ${file}:2:70 templates.hello.cpus must`,
      `TEMPLATES_FILE ${file}:3:20 templates.bye.prot is`,
    ])
  })

  it('names a templates file that cannot be read', () => {
    const [problem = '', ...more] = problemsOf({ TEMPLATES_FILE: '/etc/berth/none.yml' })
    assert.match(problem, /^TEMPLATES_FILE \/etc\/berth\/none\.yml cannot be read: there is no/)
    assert.deepEqual(more, [])
  })

  it('compares the file with the template of the environment', () => {
    const [problem = ''] = problemsOf({}, 'templates:\n  lab: { image: berth/hello, port: 8080 }\n')
    assert.match(problem, /"lab" \(of CONTAINER_\*\) and "lab" have the same name/)
  })

  it('needs no secret of the director, which the spawner does not get', () => {
    assert.deepEqual(problemsOf({ GATEWAY_SECRET: '' }), [])
  })

  it('lists the templates of the images on the engine, and warns of an image that cannot be one', () => {
    const env = { ...enough, IMAGES_ALLOWED: 'course/*', PUBLIC_URL: 'https://berth.example.com' }
    const { config } = checkSettings(env, filesOf({}))
    assert.ok(config)
    const labelled = (reference: string, labels: Record<string, string>) => ({
      id: reference,
      reference,
      labels,
    })
    const { templates, warnings } = checkTemplates(config, filesOf({}), [
      labelled('course/good:latest', {
        'berth.image.port': '80',
        'berth.image.users.concurrent': '1',
      }),
      labelled('course/bad:latest', { 'berth.image.port': 'eighty' }),
    ])
    assert.deepEqual(
      templates.map(({ name }) => name),
      ['lab', 'good'],
    )
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /the image course\/bad:latest is not a template/)
  })
})
