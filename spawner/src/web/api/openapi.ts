// The OpenAPI 3.1 description of /api/v1. It is made from the same operations as the routes.
import { problemStatus, problemMediaType, type ProblemCode } from '@berth/shared/problems'
import { z } from 'zod'
import { operationsFor, type Audience, type Operation } from './operations.ts'
import { shownEntry, shownHistory } from './history-schemas.ts'
import {
  adminOrder,
  adminRelease,
  shownLimits,
  shownLogs,
  shownMe,
  shownProblem,
  shownTemplate,
  shownUse,
  shownWorkspace,
  startBody,
} from './schemas.ts'

const named = {
  adminOrder,
  adminRelease,
  shownEntry,
  shownHistory,
  shownLimits,
  shownLogs,
  shownMe,
  shownProblem,
  shownTemplate,
  shownUse,
  shownWorkspace,
  startBody,
}
type Json = Record<string, unknown>

export function describeApi(version: string, audience: Audience = 'scripts'): Json {
  const paths: Record<string, Json> = {}
  for (const [id, operation] of operationsFor(audience)) {
    const path = (paths[operation.path] ??= {})
    path[operation.method] = describeOperation(id, operation, audience)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth',
      version,
      description:
        'Workspaces for scripts. Durations are in milliseconds, times are as in RFC 3339.',
    },
    servers: [{ url: '/api/v1' }],
    // On the portal the session of the gateway is what signs the person in.
    ...(audience === 'people' ? {} : { security: [{ token: [] }] }),
    paths,
    components: {
      schemas: schemas(),
      ...(audience === 'people'
        ? {}
        : { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
  }
}

function describeOperation(id: string, operation: Operation, audience: Audience): Json {
  const { summary, path, query, body, status, answer, follows, csv } = operation
  const success = {
    ...(answer === undefined ? {} : { 'application/json': { schema: schemaOf(answer) } }),
    ...(answer === undefined || follows ? { 'text/event-stream': {} } : {}),
    ...(csv ? { 'text/csv': { schema: { type: 'string' } } } : {}),
  }
  const forbidden = audience === 'people' ? forbiddenOnThePortal(operation) : []
  const parameters = [...pathParameters(path), ...queryParameters(query)]
  return {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: operation.bodyOptional !== true,
            content: { 'application/json': { schema: schemaOf(body) } },
          },
        }),
    responses: {
      [status]: { description: 'Done, or in progress.', content: success },
      ...problemResponses(['identity_missing', 'bad_request', ...forbidden, ...operation.problems]),
      ...(body === undefined ? {} : bodyRefusals),
    },
  }
}

function forbiddenOnThePortal({ forAdministrators }: Operation): readonly ProblemCode[] {
  return forAdministrators === true ? ['origin_refused', 'not_admin'] : ['origin_refused']
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

function queryParameters(query: z.ZodObject | undefined): Json[] {
  const { properties = {} } = query === undefined ? {} : z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
}

/** One response for each status: several codes may have the same status. */
function problemResponses(codes: readonly ProblemCode[]): Json {
  const byStatus = new Map<number, string[]>()
  for (const code of codes) {
    const status = problemStatus(code)
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, among]) => [
      status,
      { description: `\`${among.join('`, `')}\``, content: problemContent },
    ]),
  )
}

const reference = (id: string): string => `#/components/schemas/${id}`
const problemContent = { [problemMediaType]: { schema: { $ref: reference('Problem') } } }
/** HTTP prescribes these statuses. */
const bodyRefusals = {
  413: { description: '`bad_request`: the body is too large.', content: problemContent },
  415: { description: '`bad_request`: the body is not JSON.', content: problemContent },
}

/** A reference for a schema with a name, else the whole schema. */
function schemaOf(schema: z.ZodType): Json {
  const id = z.globalRegistry.get(schema)?.id
  return id === undefined ? plain(z.toJSONSchema(schema, { io: 'input' })) : { $ref: reference(id) }
}

function schemas(): Json {
  const all: Json = {}
  for (const schema of Object.values<z.ZodType>(named)) {
    const described: Json = z.toJSONSchema(schema, { io: 'input' })
    all[z.globalRegistry.get(schema)?.id ?? ''] = plain(described)
    const inner = (described['$defs'] ?? {}) as Record<string, Json>
    for (const [name, definition] of Object.entries(inner)) all[name] = plain(definition)
  }
  return all
}

/** Removes the keys of a separate document, and points the references into this document. */
function plain(schema: Json): Json {
  const kept = Object.entries(schema).filter(([key]) => !ownKeys.has(key))
  const text = JSON.stringify(Object.fromEntries(kept))
  return JSON.parse(text.replaceAll('"#/$defs/', `"${reference('')}`)) as Json
}

const ownKeys: ReadonlySet<string> = new Set(['$schema', '$defs', 'id'])
