// The keys of a template that only Berth has: how each is written, and what the reference says about it.
import { identityFields, requestTokens, schemes } from '@berth/shared/contract'
import { port } from '@berth/shared/parse'
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
import { defaults } from './template-defaults.ts'
import { seatsBy } from './template.ts'

/** The keys that Compose does not have. */
export const berthKeys = {
  port: value(
    port,
    'The port that the application listens on. Required, unless the kind is `ssh`',
  ).optional(),
  scheme: choice(
    schemes,
    `How the application speaks on that port: \`https\` for an image that speaks only HTTPS; its certificate is not verified. ${unset(defaults.scheme)}`,
  ).optional(),
  kind: choice(
    ['web', 'ssh', 'tcp'],
    'What kind of service the application is: `web`; `tcp`, for a service that is no website, such as a database ([tcp.md](tcp.md)); `ssh`, for what people only sign in to by SSH ([ssh.md](ssh.md)). Unset: `web`',
  ).optional(),
  prefix: value(
    field.prefix,
    'The first part of the names of the template’s workspaces: a letter, then letters and digits. Unset: the name of the template',
  ).optional(),
  title: value(
    field.words,
    'The name that people read on the pages. Unset: the name of the template',
  ).optional(),
  description: value(field.words, 'One line that tells people what the application is').optional(),
  icon: value(field.icon, 'A URL, or a data URL of an image').optional(),
  home: section(
    {
      path: value(field.homePath, 'The path of the home in the container'),
      volume: value(
        field.homeVolume,
        `The name of the volume; must contain \`{user}\` or \`{workspace}\`. ${unset(defaults.homeVolume)}, which all templates share; templates that run as different users need volumes of their own`,
      ).optional(),
    },
    'The person’s home, which is kept when the container is removed. Unset: no files are kept',
  ).optional(),
  ready: section(
    {
      path: value(
        field.urlPath,
        `The workspace is ready when this path answers with a status below 500. ${unset(defaults.readyPath)}`,
      ).optional(),
      timeout: value(
        field.period('1s', '24h'),
        `How long a workspace may take to become ready after it was created. ${unset(defaults.startTimeout)}`,
      ).optional(),
    },
    'When a workspace counts as ready',
  ).optional(),
  route: section(
    {
      hosts: list(
        value(field.host, 'a host name'),
        'Host names without a port; `*.` at the beginning stands for any one label',
      ).optional(),
      path: either(
        [
          value(field.routePath, 'a path such as /lab, kept'),
          section(
            {
              prefix: value(field.routePath, 'A path such as `/lab`'),
              strip: flag(
                '`true`: the application does not see the path. Unset: `false`',
              ).optional(),
            },
            'a path, kept or stripped',
          ),
        ],
        'a path, or a map with prefix and strip',
        'A path such as `/lab`, which the application sees (`{base_path}` is then `/lab/`, `{prefix}` is `/lab`), or `{prefix, strip}`. The path is on the hosts that `hosts` names, otherwise on the host of PUBLIC_URL',
      ).optional(),
      port: value(
        port,
        'A port of the director that leads only to this template; a template of the kind `tcp` needs one, of the range TCP_PORTS',
      ).optional(),
    },
    'The address of the template’s workspaces. Unset: every host name that no other template has leads to the template',
  ).optional(),
  open: value(
    field.openPath,
    'The path of the application at which people begin: a visit to `/` is led there, below the prefix of the route. `{prefix}`, `{base_path}`, `{host}` and `{origin}` are allowed. Unset: `/`',
  ).optional(),
  sources: map(
    list(value(field.network, 'an address or a network'), 'addresses and networks'),
    'For the kind `tcp`, which people connect from which addresses: networks such as `192.0.2.0/24`, by the exact user name. No address may be in the networks of two people',
  ).optional(),
  allow: section(
    {
      certificates: flag(
        'For the kind `tcp`: `true` if the proxies of PROXY_FROM tell the name in the certificate of the client, which is the user name (`send-proxy-v2-ssl-cn` of HAProxy). Unset: `false`',
      ).optional(),
      users: list(value(field.personName, 'a user'), 'Exact user names').optional(),
      groups: list(value(field.personName, 'a group'), 'Members of any of these groups').optional(),
      guests: flag(
        `\`true\`: people without a sign-in may use it, too, by GUEST_PORT ([guests.md](guests.md)); for the kind \`tcp\`, everybody whom nothing else makes known ([tcp.md](tcp.md#guests)). ${unset(defaults.guests)}`,
      ).optional(),
    },
    'Who may use the template. Without users and groups, everybody who is signed in',
  ).optional(),
  limits: section(
    {
      workspaces: value(
        field.count,
        'How many workspaces of this template may run at once; `0` is no limit',
      ).optional(),
      groups: map(
        value(field.count, 'a number'),
        'How many of these workspaces may belong to members of a group, by the name of the group',
      ).optional(),
    },
    'How many workspaces of this template may run at once',
  ).optional(),
  start: choice(
    ['visit', 'click', 'request'],
    `What starts a workspace: a \`visit\`; a \`click\` (the page then has a start button); or a \`request\`, which is a visit, or a request of a page that is still open, unless \`background\` names that request or it opens a WebSocket or an event stream. ${unset(defaults.startsBy)}`,
  ).optional(),
  banner: flag(
    'Whether the director adds a script of Berth to the pages of the application: when a person clicks or types in an open page whose workspace was stopped, the script starts the workspace, and a banner says so. Unset: `false`.',
  ).optional(),
  idle: section(
    {
      freeze: value(
        field.idleStep,
        `When the workspace is frozen; it wakes when it is used again. ${unset(defaults.idleFreeze)}, never`,
      ).optional(),
      stop: value(
        field.idleStep,
        `When the workspace is stopped. ${unset(defaults.idleStop)}`,
      ).optional(),
      remove: value(
        field.idleStep,
        `When the stopped container is removed; the home is kept. ${unset(defaults.idleRemove)}`,
      ).optional(),
    },
    'How long after its last use a workspace is frozen, stopped and removed; `0` is never',
  ).optional(),
  connection_idle: value(
    field.period('1s', '24h'),
    `A download counts as use only if the client received data within this time. ${unset(defaults.connectionIdle)}`,
  ).optional(),
  background: list(
    either(
      [
        value(field.backgroundRequest, 'METHOD /path'),
        section(
          {
            request: value(field.backgroundRequest, '`METHOD /path`'),
            max_size: value(
              field.bytes,
              'Only with a body of at most this size, such as `60` (bytes) or `4k`',
            ),
          },
          'a request with a small body',
        ),
      ],
      'METHOD /path, or a map with request and max_size',
      'a request',
    ),
    'Requests that a page sends by itself and that do not count as use: `METHOD /path` as the application sees it (`*` stands for anything, `{name}` for one segment), or `{request, max_size}`. If the request opens a WebSocket, its frames do not count either, unless `frames` names the path',
  ).optional(),
  frames: list(
    section(
      {
        path: value(
          field.pathPattern,
          'The path of the WebSocket as the application sees it; `*` stands for anything, `{name}` for one segment. Unset: every path',
        ).optional(),
        prefix: value(
          field.framePrefix,
          'How the frame begins: a text such as `3.nop;`, or bytes such as `0x03`',
        ).optional(),
        max_size: value(field.bytes, 'The frame is at most this large, in bytes').optional(),
        period: value(
          field.period('1s', '24h'),
          'One frame in each such time; a further frame before that is use',
        ).optional(),
        answers: value(
          field.heartbeat,
          'These frames answer this message, which the server says in each `period`: a text, or bytes such as `0x09`. While the workspace is frozen, the director says it, so that the page keeps the connection',
        ).optional(),
      },
      'frames that are alike',
    ),
    'Frames that a page sends by itself over a WebSocket and that do not count as use, such as heartbeats. A frame has to meet everything that one entry sets',
  ).optional(),
  activity: section(
    {
      path: value(
        field.urlPath,
        'A path that tells whether the application is busy, as `/api/kernels` of Jupyter does',
      ).optional(),
      cpu: value(
        field.cpuPercent,
        'A workspace that uses more per cent of one processor than this is busy; `0` turns this check off',
      ).optional(),
      at_most: value(
        field.idleStep,
        `This long after an idle step was due, a workspace counts as idle even if it is busy or does not answer the check; \`0\` is no bound (1h for a workspace that cannot be checked). ${unset(defaults.busyAtMost)}`,
      ).optional(),
    },
    'How Berth checks before an idle step whether a workspace is busy: a busy workspace is not idle',
  ).optional(),
  lifetime: section(
    {
      max: value(
        field.idleStep,
        'A workspace is ended this long after its start, even if it is in use',
      ).optional(),
      extension: value(
        field.idleStep,
        'How much time a person may add to `lifetime.max`, once',
      ).optional(),
      drain_after: value(
        field.idleStep,
        'This long after its start a workspace accepts no new people, and it ends when the last person leaves',
      ).optional(),
    },
    'How long a workspace may run; `0` or unset is without an end',
  ).optional(),
  seats: section(
    {
      concurrent: value(
        boundOrNone(field.count),
        `How many people share one workspace; with \`1\` each person has a workspace of their own; \`0\` or \`-1\` is any number. ${unset(defaults.seats)}`,
      ).optional(),
      total: value(
        boundOrNone(field.count),
        'How many different people a shared workspace accepts in its lifetime; `0`, `-1` or unset is any number',
      ).optional(),
      idle: value(
        field.idleStep,
        `A person loses the seat this long after their last use; \`0\` is never. ${unset(defaults.seatIdle)}`,
      ).optional(),
      persist_between_reconnects: flag(
        `\`false\`: a person loses the seat when their last connection closes, and a workspace of their own then ends. ${unset(defaults.seatPersists)}`,
      ).optional(),
    },
    'Whether several people share a workspace',
  ).optional(),
  seats_by: choice(
    seatsBy,
    `For guests of the kind \`tcp\`, what has one seat: all connections from one \`address\` (or from one /64 network of IPv6), or each \`connection\`, whose seat ends with it. A person has one seat, however many connections. ${unset(defaults.seatsBy)}`,
  ).optional(),
  standby: value(
    field.count,
    `How many workspaces are kept ready without an owner; only if nothing in the template depends on the person. ${unset(defaults.standby)}`,
  ).optional(),
  pass: section(
    {
      identity: list(
        choice(identityFields, 'a header'),
        `Identity headers of the gateway: ${identityFields.map((item) => `\`${item}\``).join(', ')}. Unset: all of them if several people share a workspace, none otherwise`,
      ).optional(),
      tokens: list(
        choice(requestTokens, 'a token'),
        'The person’s tokens, if the gateway has them: `access` (`X-Forwarded-Access-Token`), `id` (`Authorization: Bearer`)',
      ).optional(),
    },
    'What the application learns about the person',
  ).optional(),
  ssh: section(
    {
      method: choice(
        ['exec', 'attach', 'connect'],
        'How a session gets into the container: `exec` runs a shell through the engine, in any image; `attach` leads to the first process of the container, which gets a terminal: several sessions share its input and output; `connect` leads to an SSH server in the container ([ssh.md](ssh.md#an-ssh-server-in-the-container)). Unset: `attach` if the kind is `ssh`; otherwise it is required',
      ).optional(),
      shell: value(
        field.program,
        `The program that people type into, and that runs their commands; it has to know \`-l\` and \`-c\`. Not with \`connect\`. ${unset(defaults.shell)}`,
      ).optional(),
      user: value(
        field.user,
        'The user of the sessions, as in Docker; with `connect`, the name by which they sign in at the server. Unset: the user of the container; `connect` needs it',
      ).optional(),
      port: value(
        port,
        `With \`connect\`, the port of the server. ${unset(defaults.sshPort)}`,
      ).optional(),
    },
    'People reach the workspaces by SSH, too. Unset: only if the kind is `ssh`',
  ).optional(),
  egress: choice(
    ['internet', 'none'],
    `What the container can reach: \`internet\`, or \`none\` (only Berth can reach the container, and the container can reach nothing). ${unset(defaults.egress)}`,
  ).optional(),
}
