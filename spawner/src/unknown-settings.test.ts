import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unknownSettings } from './unknown-settings.ts'

const known = [
  'CONTAINER_ALLOWED_GROUPS',
  'CONTAINER_IDLE_STOP',
  'INSTANCE',
  'MAX_WORKSPACES',
  'API_TOKEN',
]
const found = (...names: string[]) =>
  unknownSettings(Object.fromEntries(names.map((name) => [name, 'x'])), known)

describe('variables that no service reads', () => {
  it('are refused if their name begins like a setting of Berth, and the error names the setting that was probably meant', () => {
    assert.deepEqual(found('CONTAINER_ALLOWED_GROUP', 'MAX_WORKSPACE', 'CONTAINER_IDEL_STOP'), [
      'CONTAINER_ALLOWED_GROUP is not a setting of Berth. Did you mean CONTAINER_ALLOWED_GROUPS?',
      'MAX_WORKSPACE is not a setting of Berth. Did you mean MAX_WORKSPACES?',
      'CONTAINER_IDEL_STOP is not a setting of Berth. Did you mean CONTAINER_IDLE_STOP?',
    ])
  })

  it('are refused without a suggestion if no setting is similar', () => {
    assert.deepEqual(found('CONTAINER_ZZZZZZZZZZZZ'), [
      'CONTAINER_ZZZZZZZZZZZZ is not a setting of Berth: remove it, or see docs/configuration.md for the names.',
    ])
  })

  it('are refused whatever they begin with, if they are a setting in another spelling', () => {
    for (const [written, meant] of [
      ['max_workspaces', 'MAX_WORKSPACES'],
      ['API-TOKEN', 'API_TOKEN'],
      ['\ufeffAPI_TOKEN', 'API_TOKEN'],
      ['MAXWORKSPACES', 'MAX_WORKSPACES'],
      ['API_TOKENS', 'API_TOKEN'],
      ['CONTAINTER_ALLOWED_GROUPS', 'CONTAINER_ALLOWED_GROUPS'],
      ['EMAIL_HEADERS', 'EMAIL_HEADER'],
      ['OAUTH2_PROXY_ALLOWED_GROUP', 'OAUTH2_PROXY_ALLOWED_GROUPS'],
      ['OAUTH2_PROXY_EMAIL_DOMAIN', 'OAUTH2_PROXY_EMAIL_DOMAINS'],
    ] as const)
      assert.deepEqual(found(written), [
        `${written} is not a setting of Berth. Did you mean ${meant}?`,
      ])
  })

  it('are refused if two letters are swapped, also in a short name and beside another mistake', () => {
    for (const [written, meant] of [
      ['SSH_PROT', 'SSH_PORT'],
      ['IDP_PROT', 'IDP_PORT'],
      ['GATEAWY', 'GATEWAY'],
      ['INSTNACE', 'INSTANCE'],
      ['LOG_LEVLE', 'LOG_LEVEL'],
      ['API_TOEKN', 'API_TOKEN'],
      ['DIRCETORS', 'DIRECTORS'],
      ['EMAIL_HEADRE', 'EMAIL_HEADER'],
      ['OAUTH2_PROXY_ALOWED_GRUOPS', 'OAUTH2_PROXY_ALLOWED_GROUPS'],
    ] as const)
      assert.deepEqual(found(written), [
        `${written} is not a setting of Berth. Did you mean ${meant}?`,
      ])
  })

  it('are accepted if they only resemble a setting', () => {
    const short = ['SSL_PORT', 'UDP_PORT', 'SSH_HOST', 'LOG_LABEL', 'API_HOST', 'APP_PORT', 'TZ']
    assert.deepEqual(found(...short), [])
    const others = ['MY_API_TOKEN', 'API_TOKEN_2', 'PUBLIC_URL2', 'COMPOSE_FILE', 'DOCKER_CONFIG']
    assert.deepEqual(found(...others, 'HTTP_PROXY', 'NODE_VERSION', 'OAUTH2_PROXY_NEWER'), [])
  })

  it('are accepted if their name begins otherwise, or if they are empty', () => {
    assert.deepEqual(found('PATH', 'APP_TOKEN', 'OAUTH2_PROXY_BANNER', 'HOME'), [])
    assert.deepEqual(unknownSettings({ MAX_WORKSPACE: '' }, known), [])
  })

  it('do not include environment variables of the containers, and files with secrets', () => {
    assert.deepEqual(found('CONTAINER_ENV_ANY', 'CONTAINER_ENV_a.b-c', 'API_TOKEN_FILE'), [])
  })
})
