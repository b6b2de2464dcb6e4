// An answer that is no valid HTTP: what is wrong with it, and where.
import { errors } from 'undici'

export class MalformedAnswer extends Error {
  /** @param rest the answer from the fault on */
  constructor(reason: string, rest: string) {
    super(rest === '' ? reason : `${reason}, at ${JSON.stringify(rest.slice(0, excerptLength))}`)
    this.name = 'MalformedAnswer'
  }
}

const excerptLength = 40

/** @returns `undefined` for an error that says nothing about the form of an answer */
export function malformedAnswer(error: Error): MalformedAnswer | undefined {
  if (error instanceof MalformedAnswer) return error
  if (error instanceof errors.HTTPParserError) {
    const [, reason = error.message] = /\((.*)\)$/.exec(error.message) ?? []
    const { data } = error as { data?: unknown }
    return new MalformedAnswer(reason, typeof data === 'string' ? data : '')
  }
  if (error instanceof errors.HeadersOverflowError || isOverflowOfNode(error))
    return new MalformedAnswer('Its headers are longer than the director accepts', '')
  if (error instanceof errors.SocketError && error.message === 'bad upgrade')
    return new MalformedAnswer('It changes to another protocol, which was not asked for', '')
  if (error instanceof errors.SocketError && error.message === 'bad response')
    return new MalformedAnswer('It does not belong to the request', '')
  // undici reports this for every fault after a Content-Length.
  if (error instanceof errors.ResponseContentLengthMismatchError)
    return new MalformedAnswer('Its headers or its length are wrong', '')
  return isOfNode(error) ? ofNode(error) : undefined
}

/** As the HTTP client of Node reports it. */
interface ParseError {
  readonly reason: string
  readonly bytesParsed: number
  readonly rawPacket: Buffer
}

function isOfNode(error: Error): error is Error & ParseError {
  return (
    'code' in error &&
    String(error.code).startsWith('HPE_') &&
    'reason' in error &&
    'bytesParsed' in error &&
    'rawPacket' in error
  )
}

function isOverflowOfNode(error: Error): boolean {
  return 'code' in error && error.code === 'HPE_HEADER_OVERFLOW'
}

function ofNode({ reason, bytesParsed, rawPacket }: ParseError): MalformedAnswer {
  return new MalformedAnswer(reason, rawPacket.subarray(bytesParsed).toString('latin1'))
}
