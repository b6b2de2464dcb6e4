// The health check of a template, in the words of Compose.
import { integer, text } from '@berth/shared/parse'
import type { z } from 'zod'
import * as field from './fields.ts'
import { either, flag, list, section, value } from './file-fields.ts'
import type { HealthCheck } from './template.ts'

const time = field.period('1ms', '24h')
const kinds = ['CMD', 'CMD-SHELL', 'NONE']

export const healthcheck = section(
  {
    test: either(
      [
        value(field.nonEmpty, 'a command for the shell of the image'),
        list(value(text, 'a word'), 'words'),
      ],
      'a text or a list of texts',
      'The command: a text for the shell of the image, or a list that begins with `CMD`, `CMD-SHELL` or `NONE`. Unset: the command of the image',
    ).optional(),
    interval: value(
      time,
      'How often the check is run. Unset: the interval of the image',
    ).optional(),
    timeout: value(
      time,
      'How long one run of the check may take. Unset: the timeout of the image',
    ).optional(),
    retries: value(
      integer(1, 1000),
      'After how many failures in a row the container is unhealthy. Unset: the number of the image',
    ).optional(),
    start_period: value(
      time,
      'How long after a start failures of the check do not count. Unset: the value of `ready.timeout`',
    ).optional(),
    start_interval: value(
      time,
      'How often the check is run within `start_period`. Unset: `250ms`',
    ).optional(),
    disable: flag('`true`: the health check of the image is not run').optional(),
  },
  'The health check that a container has to pass before Berth probes it. Unset: the health check of the image, if it has one',
)

/** @returns the check, or complaints by the key below `healthcheck` */
export function readHealthcheck(written: z.infer<typeof healthcheck>): {
  readonly check: HealthCheck
  readonly complaints: readonly (readonly [key: string, message: string])[]
} {
  const {
    test,
    disable = false,
    interval,
    timeout,
    retries,
    start_period,
    start_interval,
  } = written
  const others = [interval, timeout, retries, start_period, start_interval, test]
  if (disable)
    return {
      check: { test: ['NONE'] },
      complaints: others.every((one) => one === undefined)
        ? []
        : [['disable', 'is true, so no other key of healthcheck has an effect: remove them']],
    }
  const words = typeof test === 'string' ? ['CMD-SHELL', test] : test
  return {
    check: {
      ...(words === undefined ? {} : { test: words }),
      ...(interval === undefined ? {} : { intervalMs: interval }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(retries === undefined ? {} : { retries }),
      ...(start_period === undefined ? {} : { startPeriodMs: start_period }),
      ...(start_interval === undefined ? {} : { startIntervalMs: start_interval }),
    },
    complaints: wordsComplaint(words).map((message) => ['test', message] as const),
  }
}

function wordsComplaint(words: readonly string[] | undefined): readonly string[] {
  if (words === undefined) return []
  const [kind = '', ...command] = words
  if (!kinds.includes(kind)) return ['must begin with CMD, CMD-SHELL or NONE, as in Compose']
  if (kind === 'CMD-SHELL' && command.length !== 1) return ['must have one command after CMD-SHELL']
  if (kind === 'CMD' && command.length === 0) return ['must have a command after CMD']
  return kind === 'NONE' && command.length > 0 ? ['must have nothing after NONE'] : []
}
