// How oauth2-proxy logs requests: as by default, but without the URI, whose query has the code of a sign-in or the token of an
// application. The director logs the path.

const format = [
  '{{.Client}} - {{.RequestID}} - {{.Username}} [{{.Timestamp}}] {{.Host}} {{.RequestMethod}} {{.Upstream}}',
  '{{.Protocol}} {{.UserAgent}} {{.StatusCode}} {{.ResponseSize}} {{.RequestDuration}}',
].join(' ')

export function loggingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { OAUTH2_PROXY_REQUEST_LOGGING_FORMAT: format, ...env }
}
