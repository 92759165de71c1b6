// A relay that adds TLS: every connection of a worker has one to the target, and bytes pass both
// ways as they are, so that the worker speaks HTTP/1.1 with the target itself: its framing,
// trailers, upgrades and ends. Runs in the process of the relays. Holds no more of a stream than
// the buffers of its two sockets.

import { createServer, type Server, type Socket } from 'node:net'
import { faultOf, open, type Way } from './relay-connect.ts'
import { relayReady } from './relay-messages.ts'

/** `onTrouble`: why a target could not be connected to. */
export function byteRelay(way: Way, onTrouble: (error: Error) => void): Server {
  return createServer({ allowHalfOpen: true }, (near) => relay(near, way, onTrouble))
}

function relay(near: Socket, way: Way, onTrouble: (error: Error) => void): void {
  let isReady = false
  const far = open(way, (socket) => {
    isReady = true
    near.write(Buffer.of(relayReady))
    near.pipe(socket)
    socket.pipe(near)
  })
  // A worker that says nothing has only its end to be noticed.
  near.resume()
  near.once('end', () => {
    if (!isReady) far.destroy()
  })
  near.on('error', () => far.destroy())
  near.on('close', () => far.destroy())
  far.on('error', (error) => {
    if (isReady) {
      near.destroy()
      return
    }
    onTrouble(error)
    near.end(Buffer.of(faultOf(error, way.tls !== undefined)))
  })
  far.on('close', (hadError) => {
    if (!isReady && !hadError) near.destroy()
    // Both directions have ended, or the target is gone: what was read of it is still written.
    else if (isReady) near.end()
  })
}
