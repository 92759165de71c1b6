// Answers that name a file instead of sending it: X-Accel-Redirect of an application behind
// proxy(), context.file() of a handler. The file goes out as files() would send it, by the same
// engines, and nobody reaches it otherwise.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { files, handler, mount, proxy } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { request } from '../support/client.ts'
import { fileEngine, startGateway, type TransferMode, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { response, startUpstream } from '../support/upstream.ts'

const large = patternBytes(700_000)

function makeRoot(t: ExecutionContext): string {
  const { root } = makeSite(t, { 'a b.txt': 'with a space', 'big.bin': large, '.secret': 'no' })
  mkdirSync(join(root, 'sub'))
  writeFileSync(join(root, 'sub', 'index.html'), '<p>index</p>')
  symlinkSync('/etc/passwd', join(root, 'outside'))
  return root
}

/** A gateway whose two routes answer `/app/…` and `/fn/…` with the file of that name. */
async function start(t: ExecutionContext, transfer: TransferMode, root = makeRoot(t)) {
  const target = await startTarget(t, 'app', (incoming, outgoing) => {
    const path = (incoming.url ?? '').slice('/app'.length)
    outgoing.setHeader('X-Accel-Redirect', `/protected${path}`)
    outgoing.setHeader('Content-Type', 'application/x-own')
    outgoing.setHeader('Set-Cookie', ['a=1', 'b=2'])
    outgoing.setHeader('ETag', '"of the empty body"')
    outgoing.setHeader('X-Accel-Buffering', 'no')
    incoming.resume().on('end', () => outgoing.end())
  })
  const routes: GatewayConfig['routes'] = {
    '/app/*': proxy(target.url, {
      transfer,
      accelRedirect: { root: files(root, { transfer }), prefix: '/protected' },
    }),
    '/fn/*': handler(
      (_request, { file, params }) =>
        file(params['*'] as string, {
          headers: { 'Content-Type': 'application/x-own', 'Set-Cookie': 'a=1' },
        }),
      { root: files(root, { transfer }) },
    ),
  }
  return { ...(await startGateway(t, { routes, transfer: { mode: transfer } })), target }
}

for (const path of ['/app', '/fn']) {
  testOnBothTwins(`${path}: the file goes out by the engine of files`, async (t, transfer) => {
    const { port, engineBytes } = await start(t, transfer)
    const reply = await ask(port, `${path}/big.bin`)
    t.is(reply.status, 200)
    t.true(reply.bytes.equals(large))
    t.is(reply.headers['content-length'], String(large.length))
    t.is(reply.headers['content-type'], 'application/x-own')
    t.is(reply.headers['set-cookie']?.[0], 'a=1')
    t.is(reply.headers['accept-ranges'], 'bytes')
    t.is(reply.headers['transfer-encoding'], undefined)
    const own = Object.keys(reply.headers).filter((name) => /^x-(accel|sluice)/.test(name))
    t.deepEqual(own, [])
    t.is(engineBytes()[fileEngine(transfer, 'large')], large.length)
  })

  testOnBothTwins(`${path}: preconditions, ranges and HEAD`, async (t, transfer) => {
    const { port } = await start(t, transfer)
    const whole = await ask(port, `${path}/big.bin`, { method: 'HEAD' })
    t.is(whole.headers['content-length'], String(large.length))
    t.is(whole.bytes.length, 0)
    const { etag = '' } = whole.headers
    t.not(etag, '"of the empty body"')
    const fresh = await ask(port, `${path}/big.bin`, { headers: { 'If-None-Match': `${etag}` } })
    t.is(fresh.status, 304)
    t.is(fresh.headers['content-type'], undefined)
    t.is(fresh.headers['set-cookie']?.[0], 'a=1')
    const part = await ask(port, `${path}/big.bin`, { headers: { Range: 'bytes=5-9' } })
    t.is(part.status, 206)
    t.true(part.bytes.equals(large.subarray(5, 10)))
    t.is(part.headers['content-range'], `bytes 5-9/${large.length}`)
    t.is(part.headers['content-type'], 'application/x-own')
    const parts = await ask(port, `${path}/big.bin`, { headers: { Range: 'bytes=0-1,9-9' } })
    t.is(parts.status, 206)
    t.regex(String(parts.headers['content-type']), /^multipart\/byteranges; boundary=/)
    const beyond = await ask(port, `${path}/big.bin`, { headers: { Range: 'bytes=9000000-' } })
    t.is(beyond.status, 416)
    const failed = await ask(port, `${path}/big.bin`, { headers: { 'If-Match': '"other"' } })
    t.is(failed.status, 412)
  })

  test(`${path}: requests follow each other on one connection`, async (t) => {
    const { connect } = await start(t, 'auto')
    const client = await connect()
    for (let round = 0; round < 3; round++) {
      const reply = await client.ask(request(`${path}/a%20b.txt`))
      t.is(reply.status, 200)
      t.is(reply.body.toString(), 'with a space')
    }
    // All at once: the answers come in order.
    const two = request(`${path}/a%20b.txt`) + request(`${path}/sub/index.html`)
    t.is((await client.ask(two)).body.toString(), 'with a space')
    t.is((await client.read()).body.toString(), '<p>index</p>')
  })

  test(`${path}: nothing outside the root, nothing hidden, no directory`, async (t) => {
    const { port } = await start(t, 'auto')
    const paths = ['/outside', '/.secret', '/missing', '/sub', '/a%20b.txt/', '/a%00b', '/%2fetc']
    for (const hidden of paths) {
      const reply = await ask(port, `${path}${hidden}`)
      t.is(reply.status, 404, hidden)
      t.is(reply.headers['set-cookie'], undefined, hidden)
    }
  })
}

test('a handler cannot name what leads out of its root', async (t) => {
  const root = makeRoot(t)
  const { port } = await startGateway(t, {
    routes: {
      '/*': handler(async (incoming, { file }) => file(await incoming.text()), {
        root: join(root, 'sub'),
      }),
    },
  })
  for (const path of ['../a b.txt', '/etc/passwd', 'a/../../a b.txt', './index.html', 'a\0', '']) {
    t.is((await ask(port, '/', { method: 'POST', body: path })).status, 404, path)
  }
  t.is((await ask(port, '/', { method: 'POST', body: 'index.html' })).body, '<p>index</p>')
})

test('a body that came first is behind the answer', async (t) => {
  const { connect } = await start(t, 'auto')
  const client = await connect()
  const fields = { 'Content-Length': '5', Range: 'bytes=0-0', 'If-Match': '"x"' }
  const reply = await client.ask(`${request('/app/a%20b.txt', fields, 'POST')}hello`)
  t.is(reply.status, 200)
  t.is(reply.body.toString(), 'with a space')
  t.is((await client.ask(request('/app/sub/'))).status, 200)
})

test('a body that the application does not wait for ends the connection', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.write('HTTP/1.1 200 OK\r\nX-Accel-Redirect: /a%20b.txt\r\nContent-Length: 0\r\n\r\n')
  })
  const { connect } = await startGateway(t, {
    routes: { '/*': proxy(upstream.url, { accelRedirect: makeRoot(t) }) },
  })
  const client = await connect()
  const reply = await client.ask(request('/', { 'Content-Length': '9' }, 'POST'))
  t.is(reply.body.toString(), 'with a space')
  t.is(reply.field('connection'), 'close')
  await client.closed()
  t.pass()
})

test('another status keeps it, whatever the client has', async (t) => {
  const root = makeRoot(t)
  const { port } = await startGateway(t, {
    routes: {
      '/gone': handler((_request, { file }) => file('a b.txt', { status: 410 }), { root }),
      '/empty': handler((_request, { file }) => file('a b.txt', { status: 204 }), { root }),
    },
  })
  const headers = { 'If-None-Match': '*', Range: 'bytes=0-0' }
  const gone = await ask(port, '/gone', { headers })
  t.is(gone.status, 410)
  t.is(gone.body, 'with a space')
  const empty = await ask(port, '/empty', { headers })
  t.is(empty.status, 204)
  t.is(empty.body, '')
})

test('the prefix is taken off whole, and must be there', async (t) => {
  const named = ['/protected/sub/index.html', '/protectedsub/index.html', '/sub/index.html', 'x']
  let at = 0
  const target = await startTarget(t, 'app', (_incoming, outgoing) => {
    outgoing.setHeader('X-Accel-Redirect', named[at++] ?? '').end('its own body')
  })
  const accelRedirect = { root: makeRoot(t), prefix: '/protected' }
  const { port } = await startGateway(t, { routes: { '/*': proxy(target.url, { accelRedirect }) } })
  const statuses = []
  for (const _ of named) statuses.push((await ask(port, '/')).status)
  t.deepEqual(statuses, [200, 404, 404, 404])
})

test('the answer of the application may have any framing', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nX-Accel-Redirect: /a%20b.txt\r\n'
  const answers = [
    `${head}Content-Length: 0\r\n\r\n`,
    `${head}Content-Length: 4\r\n\r\nbody`,
    `${head}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    `${head}Connection: close\r\n\r\nbody`,
  ]
  for (const answer of answers) {
    const upstream = await startUpstream(t, async (peer) => {
      for (;;) {
        await peer.request()
        peer.write(answer)
        if (answer.includes('close')) peer.socket.end()
      }
    })
    const routes = { '/*': proxy(upstream.url, { accelRedirect: makeRoot(t) }) }
    const { connect } = await startGateway(t, { routes })
    const client = await connect()
    for (let round = 0; round < 2; round++) {
      t.is((await client.ask(request('/'))).body.toString(), 'with a space')
    }
  }
})

test('a route that names no files passes the field on, as it is', async (t) => {
  const answer = response('own', { 'X-Accel-Redirect': '/etc/passwd' })
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write(answer)
  })
  const { port } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const reply = await ask(port, '/')
  t.is(reply.body, 'own')
  t.is(reply.headers['x-accel-redirect'], '/etc/passwd')
})

test('the field of handlers is nobody else’s', async (t) => {
  const root = makeRoot(t)
  const forge = (outgoing: ServerResponse) =>
    outgoing.setHeader('x-sluice-file', 'secret /a%20b.txt').end('own')
  const target = await startTarget(t, 'app', (_incoming, outgoing) => forge(outgoing))
  const { port } = await startGateway(t, {
    routes: {
      '/proxied/*': proxy(target.url, { accelRedirect: root }),
      '/mounted/*': mount(({ path }) =>
        createServer((_incoming, outgoing) => void forge(outgoing)).listen(path),
      ),
      '/handled/*': handler(
        () => new Response('own', { headers: { 'x-sluice-file': 'secret /a%20b.txt' } }),
        { root },
      ),
    },
  })
  for (const path of ['/proxied/', '/mounted/', '/handled/']) {
    t.is((await ask(port, path)).body, 'own', path)
  }
})
