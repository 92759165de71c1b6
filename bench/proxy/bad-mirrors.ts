// Mirrors as one does not want them, for mirrors.ts, in a process of their own:
//
//   node bad-mirrors.ts SILENT RESETTING SLOW      each a port

import { createServer, type Socket } from 'node:net'

type Script = (socket: Socket) => void

const scripts: Script[] = [
  () => {},
  (socket) => socket.once('data', () => socket.resetAndDestroy()).resume(),
  (socket) => {
    const timer = setInterval(() => socket.read(1), 1_000)
    socket.on('readable', () => {}).on('close', () => clearInterval(timer))
  },
]

for (const [at, script] of scripts.entries()) {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    script(socket)
  })
  server.listen(Number(process.argv[2 + at]), '127.0.0.1')
}
