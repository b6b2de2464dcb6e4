// For tests: a template without limits, except for the limits that the test names.
import { parsePrefix } from '@berth/shared/names'
import { defaultSpec } from '../template-defaults.ts'
import type { Template, TemplatePolicy, TemplateSpec } from '../template.ts'
import { unlimitedPolicy } from '../unlimited-policy.ts'

/** Zero is no limit. */
const unlimitedSpec = { ...defaultSpec, memoryBytes: 0, memorySwapBytes: 0, cpus: 0, pids: 0 }

export interface TestTemplate extends Partial<Omit<Template, 'spec' | 'policy' | 'prefix'>> {
  readonly spec?: Partial<TemplateSpec>
  readonly policy?: Partial<TemplatePolicy>
}

/** @param name also its prefix */
export function testTemplate(name: string, { spec, policy, ...rest }: TestTemplate = {}): Template {
  const prefix = parsePrefix(name)
  if (prefix === undefined) throw new TypeError(`${name} is not a valid prefix`)
  return {
    name,
    source: 'environment',
    kind: 'web',
    title: name,
    description: '',
    icon: '',
    prefix,
    spec: { ...unlimitedSpec, image: 'berth/lab', port: 8888, ...spec },
    policy: { ...unlimitedPolicy, ...policy },
    route: { hosts: [] },
    open: '',
    passIdentity: [],
    passTokens: [],
    backgroundRequests: [],
    quietFrames: [],
    banner: false,
    connectionIdleMs: 60_000,
    weakened: [],
    ...rest,
  }
}
