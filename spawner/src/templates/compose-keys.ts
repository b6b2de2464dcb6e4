// The keys of a template that Compose has as well: how each is written, and what the reference says about it.
import { pattern, text, type Parse } from '@berth/shared/parse'
import * as field from './fields.ts'
import {
  boundOrNone,
  choice,
  either,
  flag,
  list,
  map,
  section,
  unset,
  value,
} from './file-fields.ts'
import { devices, gpus } from './file-devices.ts'
import { extraHosts } from './file-extra-hosts.ts'
import { logging } from './file-logging.ts'
import { capability, securityOption } from './file-security.ts'
import { tmpfs } from './file-tmpfs.ts'
import { ulimits } from './file-ulimits.ts'
import { healthcheck } from './file-healthcheck.ts'
import { volume } from './file-volumes.ts'
import { defaults } from './template-defaults.ts'

const variable: Parse<readonly [name: string, text: string]> = (written) => {
  const at = written.indexOf('=')
  const name = written.slice(0, at)
  if (at < 1 || 'complaint' in field.variableName(name)) return { complaint: 'must be NAME=value' }
  const text = field.withPlaceholders(written.slice(at + 1))
  return 'complaint' in text ? text : { value: [name, text.value] }
}

const name = (what: string, shape: RegExp): Parse<string> =>
  pattern(shape, `is not the name of ${what}`)
const engineName = name('a network', /^[a-zA-Z0-9][\w.-]*$/)
const runtimeName = name('a runtime', /^[a-zA-Z0-9][\w.-]*$/)
export const secretName = name('a secret', /^[a-zA-Z0-9][\w.-]*$/)

const resources = {
  mem_limit: value(
    field.memory,
    `How much memory the container may use; \`0\` is no limit. ${unset(defaults.memory)}`,
  ).optional(),
  memswap_limit: value(
    boundOrNone(field.memory),
    'Memory and swap together; `0` or `-1` is any amount of swap. Unset: the value of `mem_limit`, so no swap',
  ).optional(),
  cpus: value(
    field.cpus,
    `How many processors the container may use, such as \`0.5\`; \`0\` is no limit. ${unset(defaults.cpus)}`,
  ).optional(),
  pids_limit: value(
    boundOrNone(field.pids),
    `How many processes and threads the container may have; \`0\` or \`-1\` is no limit. ${unset(defaults.pids)}`,
  ).optional(),
  shm_size: value(
    field.size,
    'The size of `/dev/shm`. Unset: the default of the engine',
  ).optional(),
}

/** The keys of a service in a Compose file, with the same meaning. */
export const composeKeys = {
  image: value(
    field.image,
    'The image; an image named `berth/…` is built on this machine and never pulled',
  ),
  pull_policy: choice(
    ['missing', 'if_not_present', 'always'],
    `When the image is pulled: only if the engine does not have it (\`missing\`), or \`always\` before each new container. ${unset(defaults.pull)}`,
  ).optional(),
  command: either(
    [
      value(field.command, 'words with quotes'),
      list(value(field.withPlaceholders, 'a word'), 'words'),
    ],
    'a text or a list of texts',
    'The command that runs instead of the command of the image: words with quotes, or a list. Placeholders are allowed',
  ).optional(),
  entrypoint: either(
    [
      value(field.command, 'words with quotes'),
      list(value(field.withPlaceholders, 'a word'), 'words'),
    ],
    'a text or a list of texts',
    'What the words of the command are given to, instead of the entrypoint of the image: words with quotes, or a list. An empty one is none. As in Compose, the command of the image does not count then. Placeholders are allowed',
  ).optional(),
  env_file: either(
    [
      value(text, 'a file'),
      list(
        either(
          [
            value(text, 'a file'),
            section(
              {
                path: value(text, 'The file, relative to the templates file'),
                required: flag('`false`: it may be missing').optional(),
                format: choice(['raw'], '`raw`: nothing in it is quoted or filled in').optional(),
              },
              'a file with the way to read it',
            ),
          ],
          'a file, or a map with path',
          'a file',
        ),
        'files',
      ),
    ],
    'a file, or a list of files',
    'Files with variables of the container, relative to the templates file, in the format of Compose: one or a list; `environment` wins. Placeholders are not filled in there',
  ).optional(),
  environment: either(
    [
      map(value(field.withPlaceholders, 'its value'), 'by name'),
      list(value(variable, 'NAME=value'), 'as NAME=value'),
    ],
    'a map, or a list of NAME=value',
    'Variables of the container, as a map or as a list of `NAME=value`. Placeholders are allowed',
  ).optional(),
  volumes: list(
    volume,
    'Volumes: `name:/path[:ro]`, the long form of Compose (`type`, `source`, `target`, `read_only`), or `{id, path}` for a volume that several templates share and everybody may write to. Folders of the host are allowed only below BINDS_ALLOWED. Placeholders are allowed, except `{username}`, `{email}`, `{host}` and `{origin}`',
  ).optional(),
  user: value(
    field.user,
    'The user in the container, `user` or `user:group`. Unset: the user of the image',
  ).optional(),
  ...resources,
  secrets: list(
    either(
      [
        value(secretName, 'a name'),
        section(
          {
            source: value(secretName, 'The name of a secret'),
            target: value(field.secretTarget, 'The path in the container').optional(),
          },
          'a secret with the path of its file',
        ),
      ],
      'a name, or a map with source and target',
      'a secret',
    ),
    'Secrets of the top level, by name or as `{source, target}`. Each is a file in the container, `/run/secrets/<name>` unless `target` is set',
  ).optional(),
  networks: list(
    value(engineName, 'a name'),
    'Networks of the engine that the container joins in addition to its own. **Weakens**',
  ).optional(),
  init: flag(
    'Whether the init of the engine is process 1; `false` for images whose own program must be process 1. Unset: `true`. `false` **weakens**',
  ).optional(),
  cap_add: list(
    value(capability, 'a capability'),
    'Linux capabilities that the container keeps. **Weakens**',
  ).optional(),
  security_opt: list(
    value(securityOption, 'an option'),
    'Security options of the engine. `seccomp=./profile.json` is a file beside the templates file. **Weakens**',
  ).optional(),
  devices: devices.optional(),
  gpus: gpus.optional(),
  tmpfs: tmpfs.optional(),
  ulimits: ulimits.optional(),
  extra_hosts: extraHosts.optional(),
  logging: logging.optional(),
  runtime: value(
    runtimeName,
    'The runtime, such as `runsc`. Unset: the default of the engine',
  ).optional(),
  healthcheck: healthcheck.optional(),
  stop_signal: value(
    field.signal,
    'The signal that asks the container to stop. Unset: the signal of the image',
  ).optional(),
  stop_grace_period: value(
    field.period('0s', '10m'),
    `How long the container may take to stop before it is killed. ${unset(defaults.stopTimeout)}`,
  ).optional(),
}
