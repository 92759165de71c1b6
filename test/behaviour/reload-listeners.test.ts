// Listeners of another configuration: those that stay, open, close, and cannot be had.

import { connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type GatewayConfig, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { startEcho, Tunnel } from '../support/reloading.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const base = { listen: 0, workers: 2 }

function start(t: ExecutionContext, config: GatewayConfig) {
  return startGateway(t, { ...base, ...config })
}

function canConnect(to: { port: number; host: string } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(to as { path: string })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

test('listeners that stay are the same, others open and close', async (t) => {
  const { path } = makeSite(t, {})
  const routes = { '/a': respond(200, 'a') }
  const {
    gateway,
    port,
    connect: dial,
  } = await start(t, { listen: [0, { path: path('s') }], routes })
  const client = await dial()
  const at = { host: '127.0.0.1', port }
  const { addresses } = await gateway.reload({
    ...base,
    listen: [port, { path: path('t') }],
    routes,
  })
  // A number in the place of any free port is another address.
  t.is(addresses.length, 2)
  t.false(await canConnect({ path: path('s') }))
  t.true(await canConnect({ path: path('t') }))
  t.is((await ask(0, '/a', { socketPath: path('t') })).body, 'a')
  t.true(await canConnect(at))
  t.is((await client.ask(request('/a'))).body.toString(), 'a')
  await gateway.reload({ ...base, listen: { path: path('t') }, routes })
  t.false(await canConnect(at))
  // Whoever was there already goes on.
  t.is((await client.ask(request('/a'))).body.toString(), 'a')
})

test('a listener that cannot be had refuses the whole configuration', async (t) => {
  const taken = await startTarget(t, 'taken')
  const port = Number(taken.address.split(':')[1])
  const { gateway, port: own } = await start(t, { routes: { '/a': respond(200, 'one') } })
  const listen = [0, port]
  const routes = { '/a': respond(200, 'two') }
  await t.throwsAsync(gateway.reload({ ...base, listen, routes }), {
    code: 'ERR_SLUICE_LISTEN',
    message: new RegExp(`127.0.0.1:${port}: the address is in use`),
  })
  t.is((await ask(own, '/a')).body, 'one')
  t.like(gateway.stats().generation, { number: 1, live: 1, failed: 1 })
})

test('connections passed on as they are stay as long as their listener does', async (t) => {
  const echo = await startEcho(t)
  const config = (tcp: boolean, text: string): GatewayConfig => ({
    workers: 2,
    timeouts: { drain: '1ms' },
    upstreams: { echo: { targets: echo.url } },
    listen: tcp ? [{ port: 0 }, { port: 0, tcp: 'echo' }] : [{ port: 0 }],
    routes: { '/text': respond(200, text) },
  })
  const { gateway, addresses } = await startGateway(t, config(true, '1'))
  const [, second] = addresses
  const port = second?.kind === 'tcp' ? second.port : 0
  const tunnel = await Tunnel.open(t, port, '/')
  await gateway.reload(config(true, '2'))
  t.true(await tunnel.echoes('still there'))
  await gateway.reload(config(false, '3'))
  await until('its end', () => !tunnel.isOpen)
})
