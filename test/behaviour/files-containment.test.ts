// Nothing outside the root of a files() route is ever served, and nothing that is not a file: what
// a hostile client writes, and what a careless person links. On both twins.

import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'

const secret = 'the secret beside the root'

/** Targets that try to leave the root, and what a strict server says. */
const escapes: Record<string, number> = {
  '/../secret': 400,
  '/a/../../secret': 400,
  '/..': 400,
  '/.': 400,
  '/a/..': 400,
  '/%2e%2e/secret': 400,
  '/.%2E/secret': 400,
  '/%2E./secret': 400,
  '/a/%2e%2e/%2e%2e/secret': 400,
  '/..%2fsecret': 400,
  '/%2e%2e%2fsecret': 400,
  '/a%2f..%2f..%2fsecret': 400,
  '/%2fetc%2fpasswd': 404,
  '/..%5csecret': 400,
  '/%5c..%5csecret': 400,
  '/%252e%252e/secret': 404,
  '/%c0%ae%c0%ae/secret': 404,
  '/%ff': 404,
  '/a%00.txt': 404,
  '/a.txt%00': 404,
  '/a%0a': 404,
  '//secret': 404,
  '/a//a.txt': 404,
  '/%': 404,
  '/%4': 404,
  '/%zz': 404,
  '/...': 404,
  '/.../secret': 404,
  '/a/': 404,
}

testOnBothTwins('targets that try to leave the root', async (t, transfer) => {
  const site = makeSite(t, { 'public/a/a.txt': 'a', secret })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.path('public')) } })
  for (const [target, status] of Object.entries(escapes)) {
    const reply = await get(target)
    t.is(reply.status, status, target)
    t.false(reply.body.includes(secret), target)
  }
  t.is((await get('/a/a.txt')).status, 200)
})

testOnBothTwins('links lead out of the root for nobody', async (t, transfer) => {
  const site = makeSite(t, {
    secret,
    'outside/file': secret,
    'public/inside/file': 'inside',
    'public/relative': { symlink: '../secret' },
    'public/folder': { symlink: '../outside' },
    'public/process': { symlink: '/proc/self/environ' },
    'public/descriptor': { symlink: '/proc/self/fd/0' },
    'public/loop': { symlink: 'loop' },
    'public/nowhere': { symlink: 'nothing' },
    'public/around': { symlink: '../public/inside/file' },
    'public/good': { symlink: 'inside/file' },
    'public/inside/good': { symlink: '../inside/file' },
    'public/good-folder': { symlink: 'inside' },
  })
  site.add('public/absolute', { symlink: site.path('secret') })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.path('public')) } })
  const bad = ['relative', 'absolute', 'folder', 'folder/file', 'process', 'descriptor', 'loop']
  for (const name of [...bad, 'nowhere', 'around']) {
    const reply = await get(`/${name}`)
    t.is(reply.status, 404, name)
    t.false(reply.body.includes(secret), name)
  }
  for (const name of ['good', 'inside/good', 'good-folder/file']) {
    t.is((await get(`/${name}`)).body.toString(), 'inside', name)
  }
})

testOnBothTwins(
  'what is no regular file is not there, and nobody waits for it',
  async (t, transfer) => {
    const site = makeSite(t, { fifo: { fifo: true }, 'index.html': { fifo: true } })
    const server = createServer().listen(site.path('socket'))
    t.teardown(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
    for (const target of ['/fifo', '/socket', '/', '/fifo/', '/socket/x']) {
      t.is((await get(target)).status, 404, target)
    }
  },
)

testOnBothTwins('a device is not there', async (t, transfer) => {
  const site = makeSite(t)
  try {
    execFileSync('mknod', [site.path('zero'), 'c', '1', '5'], { stdio: 'ignore' })
  } catch {
    t.log('only root makes devices')
    site.add('zero', { fifo: true })
  }
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get('/zero')).status, 404)
})

testOnBothTwins('names too long for the file system are not there', async (t, transfer) => {
  const site = makeSite(t, { 'a/b': '' })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get(`/${'n'.repeat(300)}`)).status, 404)
  t.is((await get(`/${'a/'.repeat(60)}b`)).status, 404)
  t.is((await get(`/a/${'x'.repeat(5000)}`)).status, 404)
  t.is((await get(`/${`${'d'.repeat(200)}/`.repeat(30)}x`)).status, 404)
})

testOnBothTwins('a redirect to a directory never leaves the site', async (t, transfer) => {
  const site = makeSite(t, { 'evil.example/index.html': '' })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const target of [
    '//evil.example',
    '/%2fevil.example',
    '/%5cevil.example',
    '///evil.example',
  ]) {
    t.is((await client.ask(request(target))).status, 404, target)
  }
  const absolute = await client.ask(request('http://test/evil.example?q'))
  t.is(absolute.field('location'), '/evil.example/?q')
})
