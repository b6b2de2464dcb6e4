import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatSubnet } from '@berth/shared/subnet-pool'
import { parseHostFacts } from './host-facts.ts'
import { parseLimits } from './limits-trial.ts'

const host = (rooms: string): string => `=== disk
${rooms}
=== memory
MemTotal:       24683520 kB
MemAvailable:   20971520 kB
=== routes
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
br-1\t10004D0A\t00000000\t0001\t0\t0\t0\tF0FFFFFF\t0\t0\t0
=== sockets
   0: 0100007F:1054 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
`

describe('what the trials of the doctor print', () => {
  it('is read as disks, memory, routes without the default one, and ports', () => {
    const facts = parseHostFacts(host('4096 1000 500 100 50\n4096 2000 900 100 60'))
    assert.deepEqual(
      facts.rooms.map(({ what, freeBytes, freeFiles }) => [what, freeBytes, freeFiles]),
      [
        ['the disk of the containers', 2_048_000, 50],
        ['the disk of the volumes', 3_686_400, 60],
      ],
    )
    assert.equal(facts.availableMemoryBytes, 20 * 1024 ** 3)
    assert.deepEqual(
      facts.routes.map(({ subnet, device }) => `${formatSubnet(subnet)} ${device}`),
      ['192.168.0.0/24 eth0', '10.77.0.16/28 br-1'],
    )
    assert.deepEqual(facts.listening, [4180])
  })
  it('counts two folders on one disk once', () => {
    assert.equal(parseHostFacts(host('4096 9 5 1 1\n4096 9 5 1 1')).rooms.length, 1)
  })
  it('tells limits of both versions of cgroups', () => {
    const bound = { memory: 'bound', pids: 'bound', cpus: 0.5, madeWithCpus: 0.5 }
    assert.deepEqual(parseLimits('50000 100000\n\nmemory bound\npids bound\n'), bound)
    assert.deepEqual(parseLimits('cpu 50000 100000 \nmemory bound\npids bound\n'), bound)
    const free = { memory: 'free', pids: 'free', cpus: undefined, madeWithCpus: 0.5 }
    assert.deepEqual(parseLimits('max 100000\n\nmemory free\npids free\n'), free)
    assert.deepEqual(parseLimits('cpu -1 100000 \nmemory free\npids free\n'), free)
    assert.throws(() => parseLimits('sh: not found\n'), /sh: not found/)
  })
})
