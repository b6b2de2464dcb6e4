import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { editMap } from './edited-map.ts'

const edits = fc.array(
  fc.array(fc.tuple(fc.nat(90), fc.option(fc.integer({ min: 1 }), { nil: undefined })), {
    maxLength: 12,
  }),
  { maxLength: 60, size: 'max' },
)

describe('an edited map', () => {
  it('has the same content as a plain map, after any edits', () => {
    fc.assert(
      fc.property(edits, (decisions) => {
        let map: ReadonlyMap<number, number> = new Map()
        const plain = new Map<number, number>()
        for (const decision of decisions) {
          const before = [...map]
          const edited = editMap(map)
          for (const [key, value] of decision) {
            if (value === undefined) edited.delete(key)
            else edited.set(key, value)
            if (value === undefined) plain.delete(key)
            else plain.set(key, value)
            assert.equal(edited.get(key), value)
            assert.equal(edited.size, plain.size)
          }
          assert.deepEqual([...map], before, 'the former map has changed')
          map = edited.result()
          assert.equal(map.size, plain.size)
          const sorted = [...map.entries()].sort(([a], [b]) => a - b)
          assert.deepEqual(
            sorted,
            [...plain].sort(([a], [b]) => a - b),
          )
          for (const [key, value] of plain) assert.equal(map.get(key), value)
          assert.deepEqual([...map.keys()].sort(), [...plain.keys()].sort())
          assert.equal([...map.values()].length, plain.size)
        }
      }),
    )
  })

  it('is the same map if nothing was changed', () => {
    const map = new Map([['a', 1]])
    const edited = editMap(map)
    edited.delete('b')
    assert.equal(edited.result(), map)
    assert.deepEqual([...edited.touched], [])
  })

  it('reports each change as it is made', () => {
    const heard: unknown[] = []
    const edited = editMap(new Map([['a', 1]]), (before, after) => heard.push([before, after]))
    edited.set('a', 2)
    edited.set('b', 3)
    edited.delete('a')
    assert.deepEqual(heard, [
      [1, 2],
      [undefined, 3],
      [2, undefined],
    ])
  })
})
