// The example of a front end before an application, as it is shipped: both programs run, and a
// client uses all of it through the gateway.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { startSluice } from '../support/command-line.ts'
import { until } from '../support/wait.ts'

const folder = fileURLToPath(new URL('../../examples/application/', import.meta.url))

/** The application; its URL. */
async function startApplication(t: ExecutionContext): Promise<string> {
  const child = spawn(process.execPath, [`${folder}server.ts`], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return String(line).replace('application on ', '')
}

/** The gateway before it; its URL. */
async function startExample(t: ExecutionContext): Promise<string> {
  const env = { APPLICATION: await startApplication(t), PORT: '0' }
  const running = startSluice(t, ['--config', `${folder}gateway.config.ts`], { env })
  return (await running.line()).replace('listening on ', '')
}

test('files come from disk, everything else from the application', async (t) => {
  const url = await startExample(t)
  const page = await fetch(`${url}/`)
  t.is(page.headers.get('cache-control'), 'no-cache')
  t.regex(await page.text(), /<h1>Notes/)
  t.is((await fetch(`${url}/notes.js`)).headers.get('cache-control'), 'max-age=3600')
  const hello = await fetch(`${url}/hello`)
  t.is(await hello.text(), '<p>Hello, 127.0.0.1.')
  const missing = await fetch(`${url}/nothing.css`)
  t.deepEqual(
    [missing.status, await missing.json()],
    [404, { error: 'not found', path: '/nothing.css' }],
  )
})

test('the API: notes that are sent come back, and as events at once', async (t) => {
  const url = await startExample(t)
  const stop = new AbortController()
  const events = await fetch(`${url}/api/events`, { signal: stop.signal })
  t.is(events.headers.get('content-type'), 'text/event-stream')
  let heard = ''
  const listening = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of events.body ?? []) heard += decoder.decode(chunk, { stream: true })
  })().catch(() => {})
  await until('the stream to begin', () => heard.includes(': connected'))
  const added = await fetch(`${url}/api/notes`, { method: 'POST', body: 'water the plants' })
  t.is(added.status, 201)
  t.is(added.headers.get('cache-control'), 'no-store')
  await until('the event', () => heard.includes('data: {"id":1,"text":"water the plants"}'))
  stop.abort()
  await listening
  const notes = await (await fetch(`${url}/api/notes?all`)).json()
  t.deepEqual(notes, [{ id: 1, text: 'water the plants' }])
})

test('a WebSocket says everything back, large messages too', async (t) => {
  const url = await startExample(t)
  const socket = new WebSocket(`${url.replace('http:', 'ws:')}/echo`)
  socket.binaryType = 'arraybuffer'
  t.teardown(() => socket.close())
  await once(socket, 'open')
  const ask = async (message: string | Uint8Array<ArrayBuffer>) => {
    socket.send(message)
    const [{ data }] = await once(socket, 'message')
    return data
  }
  t.is(await ask('hello'), 'hello')
  const large = new Uint8Array(300_000).map((_, index) => index % 251)
  t.deepEqual(new Uint8Array(await ask(large)), large)
  socket.close()
  await once(socket, 'close')
})
