// The schema of the file with templates: every key, how it is written, and what the reference says of it.
import { identityFields, requestTokens } from '@berth/shared/contract'
import { port, text, type Parse } from '@berth/shared/parse'
import type { z } from 'zod'
import * as field from './fields.ts'
import { choice, either, flag, list, map, section, value } from './file-fields.ts'
import { volume } from './file-volumes.ts'

const boundOrNone =
  (parse: Parse<number>): Parse<number> =>
  (text) =>
    text === '-1' ? { value: 0 } : parse(text)

const variable: Parse<readonly [name: string, text: string]> = (written) => {
  const at = written.indexOf('=')
  const name = written.slice(0, at)
  if (at < 1 || !/^[A-Za-z_]\w*$/.test(name)) return { complaint: 'must be NAME=value' }
  const text = field.withPlaceholders(written.slice(at + 1))
  return 'complaint' in text ? text : { value: [name, text.value] }
}

const name = (what: string, shape: RegExp): Parse<string> => {
  const complaint = `is not the name of ${what}`
  return (text) => (shape.test(text) ? { value: text } : { complaint })
}
const capability = name('a capability such as SYS_PTRACE', /^(CAP_)?[A-Z][A-Z_]+$/)
const securityOption = name('a security option', /^[a-z-]+([:=]\S+)?$/)
const engineName = name('a network', /^[a-zA-Z0-9][\w.-]*$/)
const runtimeName = name('a runtime', /^[a-zA-Z0-9][\w.-]*$/)
export const secretName = name('a secret', /^[a-zA-Z0-9][\w.-]*$/)

/** `/lab`: segments without what a URL would write in another way. */
export const routePath: Parse<string> = (text) => {
  const isPlain = /^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/.test(text) && text.length <= 256
  if (!isPlain) return { complaint: 'must be a path such as /lab, without / at its end' }
  return /^\/(\.berth|oauth2)(\/|$)/.test(text)
    ? { complaint: 'is taken by Berth and the gateway' }
    : { value: text }
}

const resources = {
  mem_limit: value(field.memory, 'The most memory; `0` is no limit. Unset: `2g`').optional(),
  memswap_limit: value(
    boundOrNone(field.memory),
    'Memory and swap together; `0` or `-1` is any amount of swap. Unset: as `mem_limit`, so no swap',
  ).optional(),
  cpus: value(
    field.cpus,
    'The most processors, such as `0.5`; `0` is no limit. Unset: `1`',
  ).optional(),
  pids_limit: value(
    boundOrNone(field.pids),
    'The most processes and threads; `0` or `-1` is no limit. Unset: `512`',
  ).optional(),
  shm_size: value(field.size, 'The size of `/dev/shm`. Unset: the engine’s default').optional(),
}

const asInCompose = {
  image: value(field.image, 'The image; one named `berth/…` is built, never pulled'),
  pull_policy: choice(
    ['missing', 'if_not_present', 'always'],
    'When the image is pulled: only if it is `missing`, or `always` before each new container. Unset: `missing`',
  ).optional(),
  command: either(
    [
      value(field.command, 'words with quotes'),
      list(value(field.withPlaceholders, 'a word'), 'words'),
    ],
    'a text or a list of texts',
    'What is run instead of the image’s own command; words with quotes, or a list. Placeholders',
  ).optional(),
  environment: either(
    [
      map(value(field.withPlaceholders, 'its value'), 'by name'),
      list(value(variable, 'NAME=value'), 'as NAME=value'),
    ],
    'a map, or a list of NAME=value',
    'Variables of the container, as a map or as a list of `NAME=value`. Placeholders',
  ).optional(),
  volumes: list(
    volume,
    'Volumes: `name:/path[:ro]`, the long way of Compose (`type`, `source`, `target`, `read_only`), or `{id, path}` for one that templates share by its id and everybody may write to. Folders of the host only below BINDS_ALLOWED. Placeholders, but for `{username}` and `{email}`',
  ).optional(),
  user: value(
    field.user,
    'Whom the container runs as, `user` or `user:group`. Unset: the image’s own',
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
          'a secret at a path of its own',
        ),
      ],
      'a name, or a map with source and target',
      'a secret',
    ),
    'Secrets of the top level, by name or as `{source, target}`; files in the container, in `/run/secrets` by their names unless told otherwise',
  ).optional(),
  networks: list(
    value(engineName, 'a name'),
    'Networks of the engine that it joins besides its own. **Weakens**',
  ).optional(),
  init: flag(
    'Whether the engine’s init is process 1; `false` for images that must be it themselves. Unset: `true`. `false` **weakens**',
  ).optional(),
  cap_add: list(
    value(capability, 'a capability'),
    'Linux capabilities that it keeps. **Weakens**',
  ).optional(),
  security_opt: list(
    value(securityOption, 'an option'),
    'Security options of the engine. **Weakens**',
  ).optional(),
  runtime: value(
    runtimeName,
    'The runtime, such as `runsc`. Unset: the engine’s default',
  ).optional(),
  stop_signal: value(
    field.signal,
    'What it is asked to end with. Unset: the image’s own',
  ).optional(),
  stop_grace_period: value(
    field.period('0s', '10m'),
    'How long it may take to end before it is killed. Unset: `10s`',
  ).optional(),
}

const beyondCompose = {
  port: value(port, 'The port that the application listens on'),
  kind: choice(['web', 'ssh', 'tcp'], 'What it is; only `web` is offered so far').optional(),
  prefix: value(
    field.prefix,
    'The first part of its workspaces’ names: a letter, then letters and digits. Unset: its name',
  ).optional(),
  title: value(field.words, 'What people read as its name. Unset: its name').optional(),
  description: value(field.words, 'What people read about it, one line').optional(),
  icon: value(field.icon, 'A URL, or a data URL of an image').optional(),
  home: section(
    {
      path: value(field.homePath, 'Its path in the container'),
      volume: value(
        field.homeVolume,
        'The volume; must contain `{user}` or `{workspace}`. Unset: `{instance}-{user}-home`, which all templates share; templates that run as different users need volumes of their own',
      ).optional(),
    },
    'A person’s home, which survives the container. Unset: nothing does',
  ).optional(),
  ready: section(
    {
      path: value(
        field.urlPath,
        'What answers with less than 500 once it is ready. Unset: `/`',
      ).optional(),
      timeout: value(
        field.period('1s', '24h'),
        'How long it may take, once it is made. Unset: `120s`',
      ).optional(),
    },
    'When it is ready',
  ).optional(),
  route: section(
    {
      hosts: list(
        value(field.host, 'a host name'),
        'Host names without port, exact or `*.` for any one label before it',
      ).optional(),
      path: either(
        [
          value(routePath, 'a path such as /lab, kept'),
          section(
            {
              prefix: value(routePath, 'A path such as `/lab`'),
              strip: flag(
                '`true`: the application does not see the path. Unset: `false`',
              ).optional(),
            },
            'a path, kept or stripped',
          ),
        ],
        'a path, or a map with prefix and strip',
        'A path such as `/lab`, which the application sees (`{base_path}` is then `/lab/`), or `{prefix, strip}`. Of the hosts named, else of PUBLIC_URL’s',
      ).optional(),
      port: value(port, 'A port of the director that leads here alone').optional(),
    },
    'The way in. Without any, it is the one that every other host leads to',
  ).optional(),
  allow: section(
    {
      users: list(value(field.personName, 'a user'), 'Exact user names').optional(),
      groups: list(value(field.personName, 'a group'), 'Members of any of them').optional(),
    },
    'Who may use it. Without any, everybody who is signed in',
  ).optional(),
  limits: section(
    {
      workspaces: value(
        field.count,
        'Workspaces of this template at once; `0` is no limit',
      ).optional(),
      groups: map(
        value(field.count, 'a number'),
        'How many of these for members of a group, by its name',
      ).optional(),
    },
    'How many at once',
  ).optional(),
  start: choice(
    ['visit', 'click'],
    'What starts it: a `visit`, or a `click` on the start button of the page that a visit shows. Unset: `visit`',
  ).optional(),
  idle: section(
    {
      freeze: value(field.idleStep, 'Paused; wakes unnoticed. Unset: `0`, never').optional(),
      stop: value(field.idleStep, 'Stopped. Unset: `15m`').optional(),
      remove: value(field.idleStep, 'Removed; its home stays. Unset: `24h`').optional(),
    },
    'What happens to it when its last use is how long ago; `0` is never',
  ).optional(),
  connection_idle: value(
    field.period('1s', '24h'),
    'A download of which nothing was taken for this long is not in use any more. Unset: `1m`',
  ).optional(),
  background: list(
    value(field.backgroundRequest, 'METHOD /path'),
    'Requests that pages make by themselves and that do not count as use: `METHOD /path`, `*` for anything, as the application sees it',
  ).optional(),
  activity: section(
    {
      path: value(
        field.urlPath,
        'Says whether it is busy, as Jupyter’s `/api/kernels` does',
      ).optional(),
      cpu: value(
        field.cpuPercent,
        'Above this many per cent of one processor it is busy; `0` is not asked',
      ).optional(),
      at_most: value(
        field.idleStep,
        'However busy, or silent when asked: this long after an idle step was due it is idle all the same; `0` is no bound (1h for one that cannot be asked). Unset: `24h`',
      ).optional(),
    },
    'Busy is not idle: what is asked before an idle step',
  ).optional(),
  lifetime: section(
    {
      max: value(field.idleStep, 'It ends this long after its start, used or not').optional(),
      extension: value(field.idleStep, 'What a person may add to that, once').optional(),
      drain_after: value(
        field.idleStep,
        'From then on it takes nobody new, and ends with the last who leaves',
      ).optional(),
    },
    'How long it lives; `0`, or unset, is for ever',
  ).optional(),
  seats: section(
    {
      concurrent: value(
        boundOrNone(field.count),
        'People in one workspace at once: `1`, everybody has their own; `0` or `-1`, any number. Unset: `1`',
      ).optional(),
      total: value(
        boundOrNone(field.count),
        'People that one takes in its whole life; `0` or `-1`, or unset, is any number',
      ).optional(),
      idle: value(
        field.idleStep,
        'A seat ends when its last use is this long ago; `0` is never. Unset: `15m`',
      ).optional(),
      persist_between_reconnects: flag(
        '`false`: a seat ends when its last connection closes. Unset: `true`',
      ).optional(),
    },
    'Whether several people share a workspace',
  ).optional(),
  standby: value(
    field.count,
    'How many stand ready without an owner; only where nothing in it names a person. Unset: `0`',
  ).optional(),
  pass: section(
    {
      identity: list(
        choice(identityFields, 'a header'),
        `Which of the gateway’s identity headers: ${identityFields.map((item) => `\`${item}\``).join(', ')}. Unset: all where it is shared, else none`,
      ).optional(),
      tokens: list(
        choice(requestTokens, 'a token'),
        'Which of a person’s tokens, where the gateway has them: `access` (`X-Forwarded-Access-Token`), `id` (`Authorization: Bearer`)',
      ).optional(),
    },
    'What the application is told of who asks',
  ).optional(),
  egress: choice(
    ['internet', 'none'],
    'Where its network leads: `internet`, or `none` (nowhere but to Berth). Unset: `internet`',
  ).optional(),
}

export const templateSchema = section(
  { ...asInCompose, ...beyondCompose },
  'A template; its name is `[a-z][a-z0-9]*`, or anything of letters, digits, - and _ where a prefix is given',
)

export const secretSchema = section(
  { file: value(text, 'The file; relative to the file with the templates') },
  'A secret: its content is read when this file is read',
)

export const fileSchema = section(
  {
    templates: map(templateSchema, 'Templates by name'),
    secrets: map(secretSchema, 'Secrets by name').optional(),
  },
  'Templates of Berth. Keys that begin with x- are passed over, as in Compose',
)

export type WrittenTemplate = z.infer<typeof templateSchema>
