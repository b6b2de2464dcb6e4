import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { askForPage, endWithScript } from './page-end.ts'

const script = '<script type="module" src="/lab/.berth/banner.js"></script>\n'
const html = ['Content-Type', 'text/html; charset=utf-8']

describe('the end of a page', () => {
  const end = endWithScript('/lab/.berth/banner.js')

  it('is a script, and the length of the answer counts it', () => {
    const ended = end(200, ['content-length', '10', ...html])
    assert.equal(ended?.bytes.toString(), script)
    assert.deepEqual(ended.headers, ['content-length', String(10 + script.length), ...html])
  })

  it('is a script where the page has no length', () => {
    assert.deepEqual(end(200, html)?.headers, html)
    assert.ok(end(200, [...html, 'Content-Encoding', 'identity']))
  })

  it('has no validator, which would name the page without it', () => {
    const named = [...html, 'ETag', '"1"', 'Last-Modified', 'Sat, 28 Nov 2026 06:00:00 GMT']
    assert.deepEqual(end(200, named)?.headers, html)
  })

  for (const [what, status, headers] of [
    ['a page that the browser has already', 304, html],
    ['a page of an error', 404, html],
    ['a part of a page', 206, html],
    ['another kind of file', 200, ['Content-Type', 'application/json']],
    ['XML, which ends with its root', 200, ['Content-Type', 'application/xhtml+xml']],
    ['nothing that is named', 200, []],
    ['a compressed page', 200, [...html, 'Content-Encoding', 'br']],
    [
      'a page with bytes that are not those of ASCII',
      200,
      ['Content-Type', 'text/html; charset=UTF-16'],
    ],
    ['a download', 200, [...html, 'Content-Disposition', 'attachment; filename=a.html']],
    ['a page that must not be changed', 200, [...html, 'Cache-Control', 'public, no-transform']],
  ] as const)
    it(`is not added to ${what}`, () => {
      assert.equal(end(status, headers), undefined)
    })
})

describe('the request of a page', () => {
  it('asks for a page that is not compressed', () => {
    assert.deepEqual(
      askForPage(['Host', 'h', 'ACCEPT-ENCODING', 'gzip, br', 'Sec-Fetch-Dest', 'document']),
      [...['Host', 'h', 'Sec-Fetch-Dest', 'document'], ...['Accept-Encoding', 'identity']],
    )
    assert.deepEqual(askForPage(['Host', 'h']), ['Host', 'h', 'Accept-Encoding', 'identity'])
  })

  it('asks for the whole page, also where the browser keeps it: from a script, it may be one without what is added', () => {
    assert.deepEqual(
      askForPage(['Host', 'h', 'If-None-Match', '"1"', 'if-modified-since', 'yesterday']),
      ['Host', 'h', 'Accept-Encoding', 'identity'],
    )
  })

  it('may come from a service worker, which names no destination', () => {
    assert.ok(askForPage(['Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'empty']))
  })

  it('is none where the page is shown in a frame', () => {
    assert.equal(askForPage(['Sec-Fetch-Dest', 'iframe']), undefined)
  })
})
