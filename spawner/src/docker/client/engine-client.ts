// What the parts of docker/ make their calls with.
import type Docker from 'dockerode'
import type { Call } from './calls.ts'

export interface EngineClient {
  readonly docker: Docker
  readonly call: Call
}
