// The settings of the development identity provider, and values derived from them.
import { logLevel } from '@berth/shared/common-settings'
import { choice, custom, originUrl, port, text } from '@berth/shared/parse'
import {
  optional,
  readSettings,
  secret,
  SettingsError,
  withDefault,
  type Values,
} from '@berth/shared/settings'
import { isLoopback } from './loopback.ts'
import { createPeople, demoPeople, parsePeople, type People } from './people.ts'
import { shapeNames, shapes, type Shape } from './shapes.ts'

export const settings = {
  IDP_PORT: withDefault(port, '4191', { doc: 'the port, the same inside and out' }),
  BERTH_PORT: withDefault(port, '4180', { doc: 'the port of the gateway, for its redirect URIs' }),
  PUBLIC_URL: optional(originUrl, {
    doc: 'where people reach Berth; only a loopback name is accepted here',
    example: 'http://localhost:4180',
  }),
  PORTAL_URL: optional(originUrl, {
    doc: 'where people reach the portal; only a loopback name is accepted here',
    example: 'http://portal.localhost:4180',
  }),
  OAUTH2_PROXY_CLIENT_ID: withDefault(text, 'berth', { doc: 'the one client' }),
  OAUTH2_PROXY_CLIENT_SECRET: secret({
    doc: "the one client's secret",
    example: 'the output of: openssl rand -hex 32',
  }),
  IDP_PEOPLE: withDefault(
    custom(parsePeople, 'is not a list of people (demo/idp/README.md has the form)'),
    '',
    {
      doc: 'people besides alice, bob, carol and admin, comma-separated',
      example: "dora,Jack.O'Neil,alice2;name=alice;sub=u-2;groups=staff+admins",
    },
  ),
  IDP_SHAPE: withDefault(choice(...shapeNames), 'demo', {
    doc: 'whose scopes and claims the provider has',
  }),
  LOG_LEVEL: logLevel,
} as const

export interface Config {
  readonly port: number
  readonly issuer: string
  readonly publicUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** The possible origins of the gateway. */
  readonly gatewayOrigins: readonly string[]
  /** The gateway is also reached under any name below localhost at this port: each template may have one. */
  readonly gatewayPort: number
  readonly people: People
  readonly shape: Shape
  readonly logLevel: Values<typeof settings>['LOG_LEVEL']
}

/** @throws SettingsError with all problems, such as a PUBLIC_URL that others can reach */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Config {
  const values = readSettings(settings, env, readFile)
  const publicUrl = values.PUBLIC_URL ?? `http://localhost:${values.BERTH_PORT}`
  refuseReachable({ PUBLIC_URL: publicUrl, PORTAL_URL: values.PORTAL_URL })
  return {
    port: values.IDP_PORT,
    issuer: `http://idp.localhost:${values.IDP_PORT}`,
    publicUrl,
    clientId: values.OAUTH2_PROXY_CLIENT_ID,
    clientSecret: values.OAUTH2_PROXY_CLIENT_SECRET.reveal(),
    gatewayOrigins: gatewayOrigins(values.BERTH_PORT, [publicUrl, values.PORTAL_URL]),
    gatewayPort: values.BERTH_PORT,
    people: createPeople([...demoPeople, ...values.IDP_PEOPLE]),
    shape: shapes[values.IDP_SHAPE],
    logLevel: values.LOG_LEVEL,
  }
}

function refuseReachable(urls: Readonly<Record<string, string | undefined>>): void {
  const problems = Object.entries(urls).flatMap(([name, url]) =>
    url === undefined || isLoopback(url)
      ? []
      : [
          `${name} "${url}" is not a loopback name: this provider knows everybody's password and is for development only (example: ${name}=http://localhost:4180)`,
        ],
  )
  if (problems.length > 0) throw new SettingsError(problems)
}

function gatewayOrigins(port: number, urls: readonly (string | undefined)[]): readonly string[] {
  const hosts = ['localhost', 'hello.localhost', 'portal.localhost', '127.0.0.1']
  const origins = hosts.map((host) => new URL(`http://${host}:${port}`).origin)
  return [...new Set([...origins, ...urls.filter((url) => url !== undefined)])]
}
