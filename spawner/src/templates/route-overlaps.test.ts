import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { routeOverlaps } from './route-overlaps.ts'
import type { TemplateRoute } from './template.ts'
import { testTemplate } from './testing/test-template.ts'

const own = { public: 'berth.org', portal: 'portal.berth.org' }

const ofTcp = (name: string) => testTemplate(name, { kind: 'tcp', route: { hosts: [] } })

function meeting(a: TemplateRoute, b: TemplateRoute, hosts: typeof own | undefined = own) {
  const templates = [testTemplate('a', { route: a }), testTemplate('b', { route: b })]
  const surroundings = hosts ?? { public: undefined, portal: undefined }
  const found = routeOverlaps(templates, surroundings)
  const again = routeOverlaps(templates.toReversed(), surroundings)
  assert.equal(found.length, again.length, 'it does not depend on the order')
  return found[0]?.meeting
}

const below = (prefix: string, hosts: readonly string[] = []): TemplateRoute => ({
  hosts,
  path: { prefix, strip: false },
})
const at = (...hosts: string[]): TemplateRoute => ({ hosts })
const onPort = (listenPort: number): TemplateRoute => ({ hosts: [], listenPort })

describe('two routes', () => {
  const cases: readonly [a: TemplateRoute, b: TemplateRoute, meeting: RegExp | undefined][] = [
    [at(), at(), /^every host that no other template has$/],
    [at('x.org'), at('y.org', 'x.org'), /^host x\.org$/],
    [at('*.x.org'), at('*.x.org'), /^host \*\.x\.org$/],
    [at('*.x.org'), at('*.y.x.org'), undefined],
    [at('*.x.org'), at('a.x.org'), undefined],
    [at(), at('x.org'), undefined],
    [at(), below('/a'), undefined],
    [at(), onPort(8443), undefined],
    [onPort(8443), onPort(8443), /^port 8443$/],
    [onPort(8443), onPort(8444), undefined],
    [below('/a'), below('/a'), /^path \/a of host berth\.org$/],
    [below('/a'), below('/a/b'), /^paths/],
    [below('/a'), below('/ab'), undefined],
    [below('/a', ['x.org']), below('/a', ['y.org']), undefined],
    [below('/a', ['x.org']), below('/a/b', ['x.org']), /^paths .* of host x\.org$/],
    [below('/a', ['berth.org']), below('/a'), /^path \/a of host berth\.org$/],
    [below('/a', ['x.org']), at('x.org'), undefined],
    [below('/a', ['*.x.org']), below('/a', ['*.x.org']), /\*\.x\.org/],
    [{ hosts: [], path: { prefix: '/a', strip: true }, listenPort: 1 }, below('/a'), undefined],
  ]
  for (const [a, b, expected] of cases)
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)} ${expected ? 'overlap' : 'do not overlap'}`, () => {
      const found = meeting(a, b)
      if (expected === undefined) assert.equal(found, undefined)
      else assert.match(found ?? 'they do not', expected)
    })

  it('overlap on every host if there is no public host', () => {
    assert.match(meeting(below('/a'), below('/a/b'), undefined) ?? '', /berth|every host/)
    const nowhere = { public: undefined, portal: undefined }
    const templates = [
      testTemplate('a', { route: below('/a') }),
      testTemplate('b', { route: below('/a') }),
    ]
    assert.match(routeOverlaps(templates, nowhere)[0]?.meeting ?? '', /every host/)
  })

  it('do not overlap if no request of HTTP leads to one of them', () => {
    const surroundings = { public: 'berth.org', portal: undefined }
    assert.deepEqual(routeOverlaps([ofTcp('a'), testTemplate('b'), ofTcp('c')], surroundings), [])
  })
})
