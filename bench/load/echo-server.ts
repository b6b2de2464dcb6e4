// The application behind WebSockets: it sends back what it gets. `node echo-server.ts PORT`
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'

const server = createServer((_, response) => response.end())
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', () => socket.terminate())
})
server.listen({ port: Number(process.argv[2]), host: '0.0.0.0', backlog: 4_096 })
process.on('SIGTERM', () => process.exit())
