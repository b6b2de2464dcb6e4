/** The programs that `npm run bench` has set up. */
export interface BenchTools {
  readonly nginx: string
  readonly caddy: string
  readonly wrk: string
  /** A program for Node. */
  readonly configurableHttpProxy: string
  /** With the libraries of these programs. */
  readonly env: NodeJS.ProcessEnv
}

/** @throws Error without the environment of `npm run bench` */
export function benchTools(env: NodeJS.ProcessEnv): BenchTools {
  const need = (name: string): string => {
    const value = env[name]
    if (value === undefined) throw new Error(`${name} is not set: use npm run bench`)
    return value
  }
  return {
    nginx: need('NGINX'),
    caddy: need('CADDY'),
    wrk: need('WRK'),
    configurableHttpProxy: need('CONFIGURABLE_HTTP_PROXY'),
    env: { PATH: env['PATH'], LD_LIBRARY_PATH: need('BENCH_LIBRARIES') },
  }
}
