// For tests: a template with everything off but what the test names.
import { parsePrefix } from '@berth/shared/names'
import { plainPolicy, plainSpec } from '../plain-template.ts'
import type { Template, TemplatePolicy, TemplateSpec } from '../template.ts'

export interface TestTemplate extends Partial<Omit<Template, 'spec' | 'policy' | 'prefix'>> {
  readonly spec?: Partial<TemplateSpec>
  readonly policy?: Partial<TemplatePolicy>
}

/** @param name also its prefix */
export function testTemplate(name: string, { spec, policy, ...rest }: TestTemplate = {}): Template {
  const prefix = parsePrefix(name)
  if (prefix === undefined) throw new TypeError(`${name} is no prefix`)
  return {
    name,
    source: 'environment',
    kind: 'web',
    title: name,
    description: '',
    icon: '',
    prefix,
    spec: { ...plainSpec, image: 'berth/lab', port: 8888, ...spec },
    policy: { ...plainPolicy, ...policy },
    route: { hosts: [] },
    passIdentity: [],
    passTokens: [],
    backgroundRequests: [],
    connectionIdleMs: 60_000,
    weakened: [],
    ...rest,
  }
}
