// How oauth2-proxy writes its log: as by default, but without secrets. Its templates are Go's text/template.

/** The URI of a request is left out: its query has the code of a sign-in or the token of an application. The director logs
 * the path. */
const requests = [
  '{{.Client}} - {{.RequestID}} - {{.Username}} [{{.Timestamp}}] {{.Host}} {{.RequestMethod}} {{.Upstream}}',
  '{{.Protocol}} {{.UserAgent}} {{.StatusCode}} {{.ResponseSize}} {{.RequestDuration}}',
].join(' ')

/** Of a callback without the cookie of its sign-in, oauth2-proxy prints the whole request (`&{GET …`), with all cookies. */
const others = [
  '[{{.Timestamp}}] [{{.File}}] ',
  '{{if and (gt (len .Message) 2) (eq (slice .Message 0 2) "&{")}}',
  'a callback came without the cookie of its sign-in, such as that of an old tab; the request is left out, since it has cookies',
  '{{else}}{{.Message}}{{end}}',
].join('')

export function loggingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    OAUTH2_PROXY_REQUEST_LOGGING_FORMAT: requests,
    OAUTH2_PROXY_STANDARD_LOGGING_FORMAT: others,
    ...env,
  }
}
