import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAdmission, repositoryName } from './image-patterns.ts'

describe('the allowed images', () => {
  const cases: readonly [patterns: string, reference: string, isAdmitted: boolean][] = [
    ['', 'berth/hello:latest', false],
    ['berth/hello', 'berth/hello:latest', true],
    ['berth/hello', 'berth/hello:2', false],
    ['berth/hello:*', 'berth/hello:2', true],
    ['berth/*', 'berth/hello:2', true],
    ['berth/*', 'berth/team/hello:2', false],
    ['berth/*', 'registry.example.com/berth/hello:2', false],
    ['berth/*', 'berthx/hello:2', false],
    ['*', 'berth/hello:2', false],
    ['*', 'hello:2', true],
    ['registry.example.com:5000/team/*:1', 'registry.example.com:5000/team/app:1', true],
    ['registry.example.com/a.p', 'registry.example.com/axp:latest', false],
    ['docker.io/library/nginx', 'nginx:latest', true],
    ['nginx', 'docker.io/library/nginx:latest', true],
    ['docker.io/team/app', 'team/app:latest', true],
    ['a,b', 'b:latest', true],
  ]
  for (const [patterns, reference, isAdmitted] of cases)
    it(`${patterns === '' ? 'nothing' : patterns} ${isAdmitted ? 'admits' : 'does not admit'} ${reference}`, () => {
      const admits = createAdmission(patterns.split(',').filter((item) => item !== ''))
      assert.equal(admits(reference), isAdmitted)
    })

  it('get their name from the last part of their repository', () => {
    assert.equal(repositoryName('registry.example.com:5000/team/app:1'), 'app')
    assert.equal(repositoryName('app@sha256:0'), 'app')
    assert.equal(repositoryName('app'), 'app')
  })
})
