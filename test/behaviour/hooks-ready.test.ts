// Ready-made hooks that the app answers: basic authentication, tokens, other servers that decide.

import { generateKeyPairSync } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { exportJWK, SignJWT } from 'jose'
import { hashPassword, isPassword } from '../../src/app/password.ts'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { basicAuth, forwardAuth, handler, jwt, rateLimit, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { startTarget } from '../support/target.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

/** A server that decides or has keys, beside those that requests go to. */
async function startServer(t: ExecutionContext, answer: RequestListener): Promise<string> {
  return (await startTarget(t, 'server', answer)).url
}

const basic = (text: string) => ({
  headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` },
})

/** Answers with the fields that it got. */
const mirror = () => handler(({ headers }) => Response.json(Object.fromEntries(headers)))

test('a hash of a password fits that password only, and no other hash is the same', async (t) => {
  const [one, two] = [await hashPassword('secret'), await hashPassword('secret')]
  t.not(one, two)
  t.regex(one, /^\$scrypt\$ln=15,r=8,p=1\$/)
  t.true(await isPassword('secret', one))
  t.false(await isPassword('Secret', one))
  t.false(await isPassword('', one))
  t.false(await isPassword('secret', 'nonsense'))
})

test('basicAuth lets users in by their password', async (t) => {
  const users = { joe: await hashPassword('pässword'), 'o k': await hashPassword('a:b') }
  const { port, gateway } = await start(t, {
    '/*': handler(({ headers }) => new Response(headers.get('x-user')), {
      hooks: basicAuth({ users, realm: 'staff', forwardUser: 'X-User' }),
    }),
  })
  const none = await ask(port, '/')
  t.is(none.status, 401)
  t.is(none.headers['www-authenticate'], 'Basic realm="staff", charset="UTF-8"')
  for (const wrong of [
    'joe:no',
    'joe:',
    'joe',
    'eve:pässword',
    ':',
    '__proto__:x',
    'constructor:x',
  ]) {
    t.is((await ask(port, '/', basic(wrong))).status, 401, wrong)
  }
  t.is((await ask(port, '/', { headers: { Authorization: 'Bearer x' } })).status, 401)
  const joe = { headers: { ...basic('joe:pässword').headers, 'X-User': 'admin' } }
  t.is((await ask(port, '/', joe)).body, 'joe')
  t.is((await ask(port, '/', basic('o k:a:b'))).body, 'o k')
  const before = gateway.stats().total.hooks.asked
  t.is((await ask(port, '/', joe)).body, 'joe')
  t.is(gateway.stats().total.hooks.asked, before)
})

test('users are counted by a rate limit behind the password', async (t) => {
  const users = { joe: await hashPassword('a'), ann: await hashPassword('b') }
  const hooks = [basicAuth({ users }), rateLimit({ limit: 1, window: '1h', by: { claim: 'user' } })]
  const { port } = await start(t, { '/': respond(200, '', { hooks }) })
  const statuses: number[] = []
  for (const who of ['joe:a', 'joe:a', 'ann:b', 'ann:b']) {
    statuses.push((await ask(port, '/', basic(who))).status)
  }
  t.deepEqual(statuses, [200, 429, 200, 429])
})

const secret = 'a secret of thirty-two bytes, or more'

async function token(claims: object, { key = secret, expires = '1h', alg = 'HS256' } = {}) {
  const jwt = new SignJWT({ ...claims }).setProtectedHeader({ alg }).setExpirationTime(expires)
  return jwt.sign(new TextEncoder().encode(key))
}

const bearer = (value: string) => ({ headers: { Authorization: `Bearer ${value}` } })

test('jwt takes tokens that are signed, meant for it and not over', async (t) => {
  const { port } = await start(t, {
    '/*': mirrorWith(
      jwt({
        secret,
        issuer: 'https://a.test',
        audience: 'api',
        forward: { 'X-Sub': 'sub', 'X-Roles': 'roles' },
      }),
    ),
  })
  const good = { iss: 'https://a.test', aud: 'api', sub: 'joe', roles: ['a', 'b'] }
  const { status, body } = await ask(port, '/', {
    headers: { Authorization: `Bearer ${await token(good)}`, 'X-Sub': 'root', 'X-Roles': 'root' },
  })
  t.is(status, 200)
  t.like(JSON.parse(body), { 'x-sub': 'joe', 'x-roles': '["a","b"]' })
  const missing = await ask(port, '/')
  t.deepEqual([missing.status, missing.headers['www-authenticate']], [401, 'Bearer'])
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ alg: 'none' })}.${part(good)}.`
  const wrong = {
    unsigned,
    nonsense: 'a.b.c',
    otherKey: await token(good, { key: 'another secret of thirty-two bytes' }),
    otherAlgorithm: await token(good, { alg: 'HS384' }),
    over: await token(good, { expires: '-1h' }),
    issuer: await token({ ...good, iss: 'https://b.test' }),
    audience: await token({ ...good, aud: 'other' }),
  }
  for (const [name, value] of Object.entries(wrong)) {
    const reply = await ask(port, '/', bearer(value))
    t.is(reply.status, 401, name)
    t.is(reply.headers['www-authenticate'], 'Bearer error="invalid_token"', name)
  }
})

function mirrorWith(hooks: ReturnType<typeof jwt>) {
  const { handle } = mirror()
  return handler(handle, { hooks })
}

test('a token may come in a cookie, or be left out where that is allowed', async (t) => {
  const { port } = await start(t, {
    '/cookie': mirrorWith(jwt({ secret, cookie: 'session', forward: { 'x-sub': 'sub' } })),
    '/optional': mirrorWith(jwt({ secret, optional: true, forward: { 'x-sub': 'sub' } })),
  })
  const cookie = { headers: { Cookie: `a=b; session=${await token({ sub: 'joe' })}` } }
  t.is(JSON.parse((await ask(port, '/cookie', cookie)).body)['x-sub'], 'joe')
  t.is((await ask(port, '/cookie')).status, 401)
  const anonymous = await ask(port, '/optional', { headers: { 'X-Sub': 'root' } })
  t.is(JSON.parse(anonymous.body)['x-sub'], undefined)
  t.is((await ask(port, '/optional', bearer('a.b.c'))).status, 401)
})

test('keys of a JWKS are fetched once; a server that has none is a 503', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
  let fetched = 0
  const url = await startServer(t, (request, response) => {
    fetched++
    if (request.url === '/broken') response.writeHead(500).end()
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
  })
  const { port } = await start(t, {
    '/good': respond(200, 'in', { hooks: jwt({ jwks: `${url}/keys`, remember: 0 }) }),
    '/broken': respond(200, 'in', { hooks: jwt({ jwks: `${url}/broken` }) }),
  })
  const signed = await new SignJWT({ sub: 'joe' })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setExpirationTime('1h')
    .sign(privateKey)
  for (let n = 0; n < 3; n++) t.is((await ask(port, '/good', bearer(signed))).status, 200)
  t.is(fetched, 1)
  t.is((await ask(port, '/broken', bearer(signed))).status, 503)
})

test('forwardAuth asks another server, and passes on what it says', async (t) => {
  const asked: IncomingMessage['headers'][] = []
  const url = await startServer(t, (request, response) => {
    asked.push(request.headers)
    const { cookie } = request.headers
    if (cookie === 'session=joe') return void response.writeHead(204, { 'X-User': 'joe' }).end()
    response
      .writeHead(302, { Location: 'https://login.test/', 'Set-Cookie': 'a=b' })
      .end('go there')
  })
  const { handle } = mirror()
  const { port } = await start(t, {
    '/*': handler(handle, {
      hooks: forwardAuth({ url: `${url}/check`, timeout: '1m', headers: ['X-User', 'X-Group'] }),
    }),
    '/down': respond(200, '', { hooks: forwardAuth({ url: 'http://127.0.0.1:1/' }) }),
  })
  const refused = await ask(port, '/private?a=b', { method: 'POST', body: 'body' })
  t.deepEqual(
    [refused.status, refused.headers.location, refused.body],
    [302, 'https://login.test/', 'go there'],
  )
  t.deepEqual(refused.headers['set-cookie'], ['a=b'])
  const headers = { Cookie: 'session=joe', 'X-User': 'root', 'X-Group': 'root' }
  const passed = JSON.parse((await ask(port, '/private', { headers })).body)
  t.is(passed['x-user'], 'joe')
  t.is(passed['x-group'], undefined)
  t.like(asked[0], {
    'x-forwarded-method': 'POST',
    'x-forwarded-uri': '/private?a=b',
    'x-forwarded-host': `127.0.0.1:${port}`,
    'x-forwarded-for': '127.0.0.1',
  })
  t.is(asked[0]?.['content-length'], undefined)
  t.is((await ask(port, '/down')).status, 502)
})
