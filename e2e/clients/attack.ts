// What a hostile page of a workspace tries against the portal. Each text runs in a browser, on the page of a workspace.

/**
 * Tries to stop a workspace and to read what the portal says, in every way that a page has except a navigation.
 *
 * @returns a script whose value is one line for each way that succeeded
 */
export function attackOn(portal: string, workspace: string): string {
  return `(${attack})(${JSON.stringify([portal, workspace])})`
}

/** @returns a script that posts a form, as a page can to any address */
export function submitForm(action: string, enctype: string, target: string): string {
  return `(${submit})(${JSON.stringify([action, enctype, target])})`
}

const attack = `async ([portal, workspace]) => {
  const found = []
  const stops = [
    portal + '/workspaces/' + workspace + '/stop',
    portal + '/api/v1/workspaces/' + workspace + '/stop',
    portal + '/start',
    portal + '/admin/workspaces/' + workspace + '/stop',
    portal + '/api/v1/admin/workspaces/' + workspace + '/stop',
    portal + '/admin/open-as/' + workspace,
    portal + '/admin/house/maintain',
    portal + '/admin/house/announce',
  ]
  const reads = ['/', '/events', '/api/v1/me', '/api/v1/workspaces', '/api/v1/events', '/admin', '/admin/events', '/admin/house', '/admin/open-as', '/admin/history.csv', '/api/v1/admin/workspaces'].map((path) => portal + path)

  // fetch, in every mode: none of the answers may be readable.
  for (const mode of ['cors', 'no-cors', 'same-origin', 'navigate'])
    for (const [method, addresses] of [['POST', stops], ['GET', reads], ['DELETE', [portal + '/api/v1/workspaces/' + workspace]]])
      for (const address of addresses)
        for (const headers of [{}, { 'content-type': 'text/plain' }, { 'content-type': 'application/json' }])
          try {
            const body = method === 'POST' ? 'template=slow' : undefined
            const answer = await fetch(address, { method, mode, headers, body, credentials: 'include', signal: AbortSignal.timeout(5_000) })
            if (answer.type !== 'opaque') found.push(mode + ' ' + method + ' ' + address + ' ' + answer.status)
          } catch {}
  navigator.sendBeacon(stops[0], new URLSearchParams({ token: 'x' }))
  await new Promise((done) => {
    const request = new XMLHttpRequest()
    request.open('POST', stops[0])
    request.withCredentials = true
    request.onloadend = () => {
      if (request.status !== 0) found.push('XMLHttpRequest ' + request.status)
      done()
    }
    request.send('token=x')
  })

  // Streams and sockets.
  const opens = (source) => new Promise((done) => {
    const end = (isOpen) => { source.close(); done(isOpen) }
    source.onopen = () => end(true)
    source.onmessage = () => end(true)
    source.onerror = () => end(false)
    setTimeout(() => end(false), 5_000)
  })
  for (const path of ['/events', '/api/v1/events', '/admin/events', '/'])
    if (await opens(new WebSocket(portal.replace('http', 'ws') + path))) found.push('WebSocket ' + path)
  for (const path of ['/events', '/api/v1/events', '/admin/events'])
    if (await opens(new EventSource(portal + path, { withCredentials: true }))) found.push('EventSource ' + path)

  // Elements: a load that succeeds would show the size, the names or the content of something.
  const loads = (element, attribute, address) => new Promise((done) => {
    element.onload = () => done(true)
    element.onerror = () => done(false)
    setTimeout(() => done(false), 5_000)
    element[attribute] = address
    document.body.append(element)
  })
  for (const [tag, attribute, address] of [
    ['script', 'src', portal + '/api/v1/workspaces'],
    ['img', 'src', portal + '/'],
    ['link', 'href', portal + '/'],
  ]) {
    const element = document.createElement(tag)
    if (tag === 'link') element.rel = 'stylesheet'
    if (await loads(element, attribute, address)) found.push('<' + tag + '> of ' + address)
  }

  // Frames: nothing of the portal may be shown in them, and a form in one may not act.
  for (const tag of ['iframe', 'object', 'embed']) {
    const frame = document.createElement(tag)
    await loads(frame, tag === 'object' ? 'data' : 'src', portal + '/')
    try {
      if (frame.contentDocument?.body?.textContent) found.push('<' + tag + '> can be read')
    } catch {}
    if (frame.contentWindow?.length > 0) found.push('<' + tag + '> shows frames')
  }
  const sink = document.createElement('iframe')
  sink.name = 'sink'
  document.body.append(sink)
  for (const enctype of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: stops[0], enctype, target: 'sink' })
    document.body.append(form)
    const loaded = new Promise((done) => { sink.onload = done; setTimeout(done, 5_000) })
    form.submit()
    await loaded
  }

  // A window that is opened on the portal gives no reference to it.
  const opened = window.open(portal + '/')
  await new Promise((done) => setTimeout(done, 2_000))
  try {
    if (opened !== null && !opened.closed) found.push('the window of the portal stays reachable')
  } catch {}
  return found
}`

const submit = `([action, enctype, target]) => {
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', action, enctype, target })
  const field = document.createElement('input')
  Object.assign(field, { type: 'hidden', name: 'token', value: 'x' })
  form.append(field)
  document.body.append(form)
  form.submit()
}`
