// The script that the director adds to the pages of an application whose template has `banner`.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { granted, labRoute, startTestBed, type TestBed } from '../testing/test-bed.ts'

const page = '<!doctype html><title>Lab</title>\n'

describe('the banner of a template', () => {
  let bed: TestBed
  const asked: (string | string[] | undefined)[] = []

  before(async () => {
    bed = await startTestBed()
    const { address } = await bed.workspace((req, res) => {
      asked.push(req.headers['accept-encoding'])
      if (req.url?.endsWith('/sized') === true)
        res.writeHead(200, { 'content-type': 'text/html', 'content-length': page.length }).end(page)
      else if (req.url?.endsWith('/kept') === true) {
        const isKept = req.headers['if-none-match'] === '"1"'
        res.writeHead(isKept ? 304 : 200, { 'content-type': 'text/html', etag: '"1"' })
        res.end(isKept ? undefined : page)
      } else if (req.url?.endsWith('/cut') === true) {
        res.writeHead(200, { 'content-type': 'text/html' }).write(page)
        setImmediate(() => res.destroy())
      } else {
        res.writeHead(200, { 'content-type': 'text/html' })
        res.write(page)
        res.end()
      }
    })
    bed.spawner.seats = async ({ template }) => granted(address, { generation: template })
    await bed.introduce([
      labRoute,
      { ...labRoute, template: 'told', hosts: ['told.test'], banner: true },
      {
        ...labRoute,
        template: 'below',
        hosts: ['below.test'],
        path: { prefix: '/lab', strip: true },
        banner: true,
      },
    ])
  })
  after(() => bed[Symbol.asyncDispose]())

  const open = (host: string, path: string, headers = {}) =>
    bed.request({
      path,
      navigation: true,
      headers: { host, 'accept-encoding': 'gzip', ...headers },
    })

  for (const [what, host, path, source] of [
    ['a page', 'told.test', '/', '/.berth/banner.js'],
    ['a page of known length', 'told.test', '/sized', '/.berth/banner.js'],
    ['a page below a path', 'below.test', '/lab/sized', '/lab/.berth/banner.js'],
  ] as const)
    it(`is added to the end of ${what}, which the application is asked for uncompressed`, async () => {
      const answer = await open(host, path)
      assert.equal(answer.body, `${page}<script type="module" src="${source}"></script>\n`)
      assert.equal(asked.at(-1), 'identity')
      if (path.endsWith('/sized'))
        assert.equal(answer.headers['content-length'], String(answer.body.length))
    })

  it('is not added for a request of a page, in a frame, or for a template without it', async () => {
    for (const answer of [
      await bed.request({ path: '/', headers: { host: 'told.test', 'sec-fetch-mode': 'cors' } }),
      await open('told.test', '/', { 'sec-fetch-dest': 'iframe' }),
      await open('lab.test', '/'),
    ])
      assert.equal(answer.body, page)
    assert.equal(asked.at(-1), 'gzip')
  })

  it('is added to a page that a script of the application, such as its service worker, has left in the cache of the browser without it', async () => {
    const headers = { host: 'told.test', 'sec-fetch-mode': 'cors' }
    const { body, headers: kept } = await bed.request({ path: '/kept', headers })
    assert.equal(body, page)
    const opened = await open('told.test', '/kept', { 'if-none-match': kept['etag'] })
    assert.equal(opened.status, 200)
    assert.match(opened.body, /banner\.js/)
    assert.equal(opened.headers['etag'], undefined)
  })

  it('is added to a page that a service worker of the application asks for, as a navigation without a destination', async () => {
    const { body } = await open('told.test', '/', { 'sec-fetch-dest': 'empty' })
    assert.match(body, /banner\.js/)
  })

  it('does not make a page whole that the application cut off', async () => {
    await assert.rejects(open('told.test', '/cut'))
  })
})
