// Devices and GPUs of the host in the forms of Compose: how they are written, and what the engine is asked for.
import { custom, integer, pattern, text, type Parse, type Parsed } from '@berth/shared/parse'
import type { z } from 'zod'
import { either, list, map, section, value } from './file-fields.ts'
import type { Device, DeviceRequest } from './template.ts'

const path = /^(\/(?!\.{1,2}(\/|$))[^/:,{}\p{Cc}]+)+$/u
const permissions = /^(?=.)r?w?m?$/
const cdi = /^[a-z0-9.-]+\/[\w.-]+=[\w.:-]+$/i

const devicePath = pattern(path, 'must be an absolute path, such as /dev/fuse')
const deviceText: Parse<Device> = custom(
  parseDevice,
  'must be /dev/name, /dev/name:/dev/other or /dev/name:/dev/other:rwm, or vendor.com/class=name',
)

export const devices = list(
  either(
    [
      value(deviceText, '/dev/name[:/dev/other[:rwm]], or vendor.com/class=name'),
      section(
        {
          source: value(devicePath, 'The path of the device on the host'),
          target: value(devicePath, 'The path in the container; unset: the same').optional(),
          permissions: value(
            pattern(permissions, 'must be letters of rwm'),
            'What the container may do, letters of `rwm`; unset: `rwm`',
          ).optional(),
        },
        'a device by source and target',
      ),
    ],
    'a text such as /dev/fuse, or a map',
    'a device of the host',
  ),
  'Devices of the host: `/dev/name[:/dev/other[:rwm]]`, `{source, target, permissions}`, or the name of a CDI device such as `vendor.com/class=name`. **Weakens**',
)

export const gpus = either(
  [
    value(pattern(/^all$/, 'must be all, or a list'), '`all`'),
    list(
      section(
        {
          driver: value(pattern(/^\S+$/, 'must be the name of a driver'), 'The driver').optional(),
          count: value(
            custom<number>(
              (written) => (written === 'all' ? -1 : valueOf(integer(1, 1_024)(written))),
              'must be a whole number from 1 to 1024, or all',
            ),
            'How many, or `all`',
          ).optional(),
          device_ids: list(value(text, 'an id'), 'Which ones, instead of `count`').optional(),
          capabilities: list(
            value(pattern(/^[\w-]+$/, 'must be a word'), 'a capability'),
            'What they must be able to do; `gpu` is added',
          ).optional(),
          options: map(value(text, 'its value'), 'Options of the driver').optional(),
        },
        'a request for GPUs',
      ),
      'Requests for GPUs',
    ),
  ],
  'all, or a list',
  'GPUs of the host: `all`, or a list of `{driver, count, device_ids, capabilities, options}`. The engine needs the driver, such as the NVIDIA container toolkit. **Weakens**',
)

type WrittenDevice = z.infer<typeof devices>[number]
type WrittenGpus = z.infer<typeof gpus>

export function readDevice(written: WrittenDevice): Device {
  if (!('source' in written)) return written
  const { source, target = source, permissions: may = 'rwm' } = written
  return { source, target, permissions: may }
}

export function readGpus(written: WrittenGpus): Parsed<readonly DeviceRequest[]> {
  if (typeof written === 'string')
    return { value: [{ driver: '', count: -1, ids: [], capabilities: ['gpu'], options: {} }] }
  if (written.some(({ count, device_ids: ids }) => count !== undefined && ids !== undefined))
    return { complaint: 'has count and device_ids: write one of them' }
  return {
    value: written.map(
      ({ driver = '', count, device_ids: ids = [], capabilities = [], options }) => ({
        driver,
        count: count ?? (ids.length === 0 ? -1 : 0),
        ids,
        capabilities: [...new Set([...capabilities, 'gpu'])],
        options: Object.fromEntries(options ?? []),
      }),
    ),
  }
}

/** A CDI device has no path: the engine knows it by its name alone. */
function parseDevice(written: string): Device | undefined {
  if (cdi.test(written)) return { source: written, target: '', permissions: '' }
  const [source = '', second, third, ...rest] = written.split(':')
  const isMode = second !== undefined && third === undefined && permissions.test(second)
  const target = second === undefined || isMode ? source : second
  const may = third ?? (isMode ? second : 'rwm')
  const isRight = [source, target].every((each) => path.test(each)) && permissions.test(may)
  return isRight && rest.length === 0 ? { source, target, permissions: may } : undefined
}

function valueOf(parsed: Parsed<number>): number | undefined {
  return 'value' in parsed ? parsed.value : undefined
}
