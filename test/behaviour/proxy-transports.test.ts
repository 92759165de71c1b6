// The rules of proxy() over every transport: whoever speaks HTTP with a target, and whether TLS is
// around it, a client and a target see the same. What is about TLS alone is in proxy-tls.test.ts.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type RequestOptions, request as send } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { InlineProxyOptions } from '../../src/config/actions.ts'
import { proxy } from '../../src/index.ts'
import type { TargetStats } from '../../src/telemetry/upstream-stats.ts'
import { type Answer as Answered, type AskOptions, ask } from '../support/ask.ts'
import { request } from '../support/client.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import {
  type Answer,
  breakConnection,
  startWayTarget,
  type Way,
  type WayTarget,
  ways,
} from '../support/secure-target.ts'
import { patternBytes } from '../support/site.ts'
import { inTheBackground, until } from '../support/wait.ts'

type Options = InlineProxyOptions

/** One way to a target, in a gateway that has them all. */
interface Reach {
  way: Way
  target: WayTarget
  running: RunningGateway
  /** For the Host field: it chooses the way. */
  host: string
  /** Of the upstream. */
  known(): TargetStats | undefined
  ask(path: string, options?: AskOptions): Promise<Answered>
}

const hosts = Object.keys(ways).map((way, at) => [way as Way, `way${at}.test`] as const)

/** A target for every way, and a gateway with a route to each. */
async function startAll(
  t: ExecutionContext,
  answer: (way: Way) => Answer,
  options: Options = {},
): Promise<Reach[]> {
  const targets = await Promise.all(
    hosts.map(async ([way, host]) => {
      const target = await startWayTarget(t, way, answer(way))
      return { way, host, target }
    }),
  )
  const routes = targets.map(({ host, target }) => {
    // A busy machine is no reason to believe that nobody is there.
    const timeout = { connect: '1m' as const, ...options.timeout }
    return [`${host}/*`, proxy(target.url, { ...target.options, ...options, timeout })] as const
  })
  const running = await startGateway(t, { routes: Object.fromEntries(routes) })
  return targets.map(({ way, host, target }) => ({
    way,
    host,
    target,
    running,
    known: () =>
      running.gateway
        .stats()
        .upstreams.flatMap((upstream) => upstream.targets)
        .find(({ url }) => url === target.url),
    ask: (path, asking = {}) =>
      ask(running.port, path, { ...asking, headers: { ...asking.headers, Host: host } }),
  }))
}

/** Runs `run` for every way; what it throws says which. */
async function everyWay(reaches: Reach[], run: (reach: Reach) => Promise<void>): Promise<void> {
  await Promise.all(
    reaches.map(async (reach) => {
      try {
        await run(reach)
      } catch (error) {
        throw new Error(reach.way, { cause: error })
      }
    }),
  )
}

const echo: Answer = (incoming, outgoing) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => void chunks.push(chunk))
  incoming.on('end', () => {
    const { method, url, headers } = incoming
    const body = Buffer.concat(chunks).toString('latin1')
    outgoing.setHeader('x-own', 'own')
    outgoing.setHeader('set-cookie', ['a=1', 'b=2'])
    outgoing.end(JSON.stringify({ method, url, headers, body }))
  })
}

test.serial('requests and answers pass with their fields', async (t) => {
  const reaches = await startAll(t, () => echo, {
    headers: { request: { set: { 'X-Env': 'test' } }, response: { remove: ['x-own'] } },
  })
  await everyWay(reaches, async ({ way, target, host, ask: asked }) => {
    const reply = await asked('/a%2Fb//c?d=%20', {
      method: 'PUT',
      body: 'text',
      headers: { 'X-Client': 'one', Connection: 'close, X-Named', 'X-Named': 'x', TE: 'trailers' },
    })
    t.is(reply.status, 200, way)
    const seen = JSON.parse(reply.body)
    t.like(seen, { method: 'PUT', url: '/a%2Fb//c?d=%20', body: 'text' }, way)
    t.is(seen.headers['x-env'], 'test', way)
    t.is(seen.headers['x-client'], 'one', way)
    t.is(seen.headers['x-named'], undefined, way)
    t.is(seen.headers['x-forwarded-for'], '127.0.0.1', way)
    t.is(seen.headers['x-forwarded-host'], host, way)
    const own = new URL(target.url).host
    const isSecure = target.url.startsWith('https')
    t.is(seen.headers.host ?? seen.headers[':authority'], isSecure ? own : host, way)
    t.is(reply.headers['x-own'], undefined, way)
    t.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'], way)
  })
})

test.serial('every method passes, and HEAD has no body', async (t) => {
  await everyWay(await startAll(t, () => echo), async ({ way, ask: asked }) => {
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      t.is(JSON.parse((await asked('/', { method })).body).method, method, way)
    }
    const head = await asked('/', { method: 'HEAD' })
    t.is(head.status, 200, way)
    t.is(head.body, '', way)
  })
})

test.serial('statuses without a body', async (t) => {
  const reaches = await startAll(t, () => (incoming, outgoing) => {
    outgoing.writeHead(Number(incoming.url?.slice(1)), { etag: '"x"' })
    outgoing.end()
  })
  await everyWay(reaches, async ({ way, ask: asked }) => {
    for (const status of [204, 304, 404, 500, 599]) {
      const reply = await asked(`/${status}`)
      t.is(reply.status, status, way)
      t.is(reply.headers.etag, '"x"', way)
      t.is(reply.body, '', way)
    }
  })
})

test.serial('large bodies pass both ways, whole', async (t) => {
  const body = patternBytes(3_000_000)
  const reaches = await startAll(t, () => (incoming, outgoing) => {
    const hash = createHash('sha256')
    incoming.on('data', (chunk: Buffer) => hash.update(chunk))
    incoming.on('end', () => {
      outgoing.setHeader('x-hash', hash.digest('hex'))
      if (incoming.url === '/known') outgoing.setHeader('content-length', body.length)
      outgoing.end(body)
    })
  })
  const hash = createHash('sha256').update(body).digest('hex')
  await everyWay(reaches, async ({ way, ask: asked }) => {
    for (const path of ['/known', '/chunked']) {
      const reply = await asked(path, { method: 'POST', body })
      t.is(reply.headers['x-hash'], hash, way)
      t.true(reply.bytes.equals(body), way)
    }
  })
})

test.serial('a request in chunks passes as it comes, and so does the answer', async (t) => {
  const reaches = await startAll(t, () => (incoming, outgoing) => {
    incoming.on('data', (chunk: Buffer) => void outgoing.write(chunk))
    incoming.on('end', () => outgoing.end())
  })
  await everyWay(reaches, async ({ way, host, running }) => {
    const to = { host: '127.0.0.1', port: running.port, headers: { Host: host }, agent: false }
    const outgoing = send({ ...to, method: 'POST' } as RequestOptions)
    outgoing.write('one')
    const [incoming] = await once(outgoing, 'response')
    const [first] = await once(incoming, 'data')
    t.is(String(first), 'one', way)
    outgoing.write('two')
    const [second] = await once(incoming, 'data')
    t.is(String(second), 'two', way)
    outgoing.end()
    await once(incoming, 'end')
  })
})

test.serial('nothing is read ahead of a client that does not read', async (t) => {
  const sent = new Map<Way, number>()
  const chunk = patternBytes(256 * 1024)
  const reaches = await startAll(t, (way) => (_incoming, outgoing) => {
    const more = () => {
      const before = sent.get(way) ?? 0
      if (outgoing.destroyed || before > 200_000_000) return
      sent.set(way, before + chunk.length)
      if (outgoing.write(chunk)) setImmediate(more)
      else outgoing.once('drain', more)
    }
    more()
  })
  await everyWay(reaches, async ({ way, host, running }) => {
    const client = await running.connect()
    client.socket.pause()
    client.write(request('/', { Host: host }))
    let before = 0
    let unchanged = 0
    await until(
      'the target to have stopped',
      () => {
        const now = sent.get(way) ?? 0
        unchanged = now > 0 && now === before ? unchanged + 1 : 0
        before = now
        return unchanged === 50
      },
      inTheBackground,
    )
    t.true(before < 100_000_000, `${way}: ${before} bytes were taken`)
    client.socket.destroy()
  })
})

test.serial('a client that goes takes its request along', async (t) => {
  const closed = new Set<Way>()
  const reaches = await startAll(t, (way) => (_incoming, outgoing) => {
    outgoing.on('close', () => void closed.add(way))
    outgoing.write('first')
  })
  await everyWay(reaches, async ({ way, host, running }) => {
    const client = await running.connect()
    client.write(request('/', { Host: host }))
    await client.takeUntil('first')
    client.socket.destroy()
    await until('the target to be told', () => closed.has(way))
  })
  t.is(closed.size, reaches.length)
})

test.serial('a target that is gone is a 502, and another one is tried', async (t) => {
  const reaches = await Promise.all(
    hosts.map(async ([way, host]) => {
      const gone = await startWayTarget(t, way, echo)
      await gone.stop()
      return { way, host, gone, alive: await startWayTarget(t, way, echo) }
    }),
  )
  const routes = reaches.flatMap(({ host, gone, alive }) => [
    [`${host}/one`, proxy(gone.url, gone.options)] as const,
    [
      `${host}/two`,
      proxy([gone.url, alive.url], { ...gone.options, balance: 'round-robin' }),
    ] as const,
  ])
  const { port } = await startGateway(t, { routes: Object.fromEntries(routes) })
  for (const { way, host } of reaches) {
    const headers = { Host: host }
    t.is((await ask(port, '/one', { headers })).status, 502, way)
    const post = { method: 'POST', body: 'again', headers }
    t.is((await ask(port, '/one', post)).status, 502, way)
    for (let round = 0; round < 4; round++) {
      // Nobody has seen it: a POST may go elsewhere, too.
      const reply = await ask(port, '/two', post)
      t.is(reply.status, 200, way)
      t.is(JSON.parse(reply.body).body, 'again', way)
    }
  }
})

test.serial('a target that closes without an answer is a 502', async (t) => {
  const requests = new Map<Way, number>()
  const reaches = await startAll(t, (way) => (incoming) => {
    requests.set(way, (requests.get(way) ?? 0) + 1)
    breakConnection(incoming)
  })
  await everyWay(reaches, async ({ way, known, ask: asked }) => {
    t.is((await asked('/', { method: 'POST', body: 'once' })).status, 502, way)
    t.is(requests.get(way), 1, way)
    t.true((known()?.failures ?? 0) > 0, way)
  })
})

test.serial('an answer that breaks off breaks off for the client', async (t) => {
  const reaches = await startAll(t, () => (incoming, outgoing) => {
    outgoing.setHeader('content-length', 1_000_000)
    outgoing.write('beginning', () => breakConnection(incoming))
  })
  await everyWay(reaches, async ({ way, ask: asked }) => {
    await t.throwsAsync(asked('/'), undefined, way)
  })
})

test.serial('a target that is too slow is a 504', async (t) => {
  const reaches = await startAll(t, () => () => {}, { timeout: { firstByte: 1_000 } })
  await everyWay(reaches, async ({ way, ask: asked }) => {
    t.is((await asked('/')).status, 504, way)
  })
})

test.serial('a body that is silent for too long is cut', async (t) => {
  const reaches = await startAll(t, () => (_incoming, outgoing) => void outgoing.write('first'), {
    timeout: { between: 1_000 },
  })
  await everyWay(reaches, async ({ way, ask: asked }) => {
    await t.throwsAsync(asked('/'), undefined, way)
  })
})

test.serial('targets are checked and counted by their own names', async (t) => {
  let isWell = true
  const answer: Answer = (incoming, outgoing) => {
    outgoing.writeHead(incoming.url === '/well' && !isWell ? 500 : 200)
    outgoing.end('ok')
  }
  const health = { path: '/well', interval: 200, fall: 1, rise: 1 }
  const reaches = await startAll(t, () => answer, { health })
  const all = (wanted: string) => () => reaches.every(({ known }) => known()?.health === wanted)
  await until('the first checks', all('up'))
  await everyWay(reaches, async ({ way, target, known, ask: asked }) => {
    await until('an answer', async () => (await asked('/')).status === 200)
    t.true((known()?.requests ?? 0) > 0, way)
    t.is(known()?.address, new URL(target.url).host, way)
  })
  isWell = false
  await until('checks that fail', all('down'))
  await everyWay(reaches, async ({ ask: asked }) => {
    await until('the core to know', async () => (await asked('/')).status === 503)
  })
  isWell = true
  await everyWay(reaches, async ({ ask: asked }) => {
    await until('a check that passes', async () => (await asked('/')).status === 200)
  })
})

test.serial('an upgrade becomes a tunnel', async (t) => {
  const reaches = await startAll(t, () => echo)
  await everyWay(reaches, async ({ way, host, target, running }) => {
    target.server.on('upgrade', (_incoming, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
      socket.write('hello')
      socket.pipe(socket)
    })
    const client = await running.connect()
    client.write(`${request('/chat', { Host: host, Connection: 'Upgrade', Upgrade: 'x' })}early`)
    t.is((await client.read()).status, 101, way)
    t.is(String(await client.takeBytes(10)), 'helloearly', way)
    client.write('more')
    t.is(String(await client.takeBytes(4)), 'more', way)
    client.socket.destroy()
    await until('the target to see the end', () => target.sockets.size === 0)
  })
})

test.serial('many requests at once', async (t) => {
  const bodies = Array.from({ length: 40 }, (_, at) => `body ${at} ${'x'.repeat(at * 500)}`)
  await everyWay(await startAll(t, () => echo), async ({ way, ask: asked }) => {
    const replies = await Promise.all(bodies.map((body) => asked('/', { method: 'POST', body })))
    const seen = replies.map(({ body }) => JSON.parse(body).body)
    t.deepEqual(seen, bodies, way)
  })
})
