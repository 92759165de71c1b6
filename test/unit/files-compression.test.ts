// What is encoded when and kept how long, on a pretended core: it is told what to encode, and the
// test tells what became of it. The process that is started meanwhile has nothing to do.

import test, { type ExecutionContext } from 'ava'
import type { FilesOptions } from '../../src/config/options.ts'
import { FileQuestions } from '../../src/files/questions.ts'
import { FakeNative } from '../support/fake-native.ts'
import { filesRoute } from '../support/files-route.ts'

const long = 1_000_000

interface Bounds {
  files?: number
  bytes?: number
  answers?: number
}

function setUp(t: ExecutionContext, options: FilesOptions = {}, bounds: Bounds = {}) {
  const native = new FakeNative()
  const clock = { time: long, now: () => clock.time }
  const troubles: string[] = []
  const desk = new FileQuestions({
    native,
    routes: new Map([
      [0, filesRoute('/site', { precompressed: false, compress: 'gzip', ...options })],
    ]),
    bounds: {
      files: 100,
      bytes: 1_000_000,
      answers: 100,
      descriptors: 1_000,
      directory: '',
      ...bounds,
    },
    onFault: (message) => t.fail(message),
    onTrouble: (message) => troubles.push(message),
    clock,
  })
  native.onLooked = (event) => desk.looked(event)
  t.teardown(() => {
    desk.close()
    if (native.broken.length > 0) throw new Error(native.broken.join('\n'))
  })
  const ask = async (path: string) => {
    const question = native.question(path)
    desk.ask(question)
    await settled()
    const given = native.answers.find((each) => each.question === question.id)
    return given?.answer ?? t.fail(`no answer to ${path}`)
  }
  /** The last job ends with an encoding of `size` bytes. */
  const make = async (size: number) => {
    desk.encoded(native.made(native.jobs.at(-1)?.id ?? 0, size))
    await settled()
  }
  return { native, desk, clock, troubles, ask, make }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const codingsOf = (answer: { variants: { coding: string }[] }) =>
  answer.variants.map(({ coding }) => coding)

test('the answer is forgotten when an encoding is there, and the next has it', async (t) => {
  const { native, desk, ask, make } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  const first = await ask('/a.txt')
  t.deepEqual(codingsOf(first), [])
  t.is(native.jobs.length, 1)
  t.like(native.jobs[0]?.job, { coding: 'gzip', directory: '' })
  t.deepEqual(native.forgotten, [])
  await make(2_000)
  t.deepEqual(native.forgotten, [first.id])
  t.deepEqual(codingsOf(await ask('/a.txt')), ['gzip'])
  t.like(desk.counts(), {
    compression: { made: 1, waiting: 0, bytesIn: 5_000, bytesOut: 2_000 },
    cache: { heldBytes: 7_000 },
  })
})

test('several codings of a file are made one after the other, the smallest is sent', async (t) => {
  const { native, ask, make } = setUp(t, { compress: ['br', 'zstd', 'gzip'] })
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  const first = await ask('/a.txt')
  for (const size of [3_000, 2_000, 1_000]) {
    t.deepEqual(native.forgotten, [])
    await make(size)
  }
  t.deepEqual(
    native.jobs.map(({ job }) => job.coding),
    ['br', 'zstd', 'gzip'],
  )
  t.deepEqual(native.forgotten, [first.id])
  t.deepEqual(codingsOf(await ask('/a.txt')), ['gzip', 'zstd', 'br'])
})

test('a young file is encoded when it is served later on', async (t) => {
  const { native, desk, clock, ask } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  clock.time = 1_000
  const { id } = await ask('/a.txt')
  t.is(native.jobs.length, 0)
  desk.touched([id])
  await settled()
  t.is(native.jobs.length, 0)
  clock.time = long
  desk.touched([id, id])
  await settled()
  t.is(native.jobs.length, 1)
})

test('an encoding outlives its answers and its file', async (t) => {
  const { native, desk, clock, ask, make } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  await ask('/a.txt')
  await make(2_000)
  const { id } = await ask('/a.txt')
  desk.stale([id])
  clock.time += 10 * 60_000
  desk.purgeIdle()
  await settled()
  t.is(native.open.length, 1)
  t.deepEqual(codingsOf(await ask('/a.txt')), ['gzip'])
  t.is(native.jobs.length, 1)
})

test('another content is encoded anew, and the old encoding goes', async (t) => {
  const { native, desk, ask, make } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  await ask('/a.txt')
  await make(2_000)
  const { id } = await ask('/a.txt')
  native.disk.set('/site/a.txt', { heldBytes: 6_000, identity: 2n })
  desk.stale([id])
  t.deepEqual(codingsOf(await ask('/a.txt')), [])
  t.is(native.jobs.length, 2)
  t.is(native.open.length, 1)
  await make(3_000)
  t.deepEqual(codingsOf(await ask('/a.txt')), ['gzip'])
  t.is(native.open.length, 2)
})

test('a file that changed while it waited is left to the next question', async (t) => {
  const { native, ask, desk } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  native.disk.set('/site/b.txt', { heldBytes: 5_000 })
  await ask('/a.txt')
  await ask('/b.txt')
  native.disk.set('/site/b.txt', { heldBytes: 5_000, identity: 2n })
  desk.encoded(native.made(native.jobs[0]?.id ?? 0, 10))
  await settled()
  t.is(native.jobs.length, 1)
  t.is(desk.counts().compression.waiting, 0)
})

test('what is of no use is not tried again', async (t) => {
  const { native, desk, ask } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  const { id } = await ask('/a.txt')
  const nothing = { file: 0, size: 0, heldBytes: 0, hasDescriptor: false, error: '' }
  const job = native.jobs[0]?.id ?? 0
  desk.encoded({ type: 'encoded', id: job, outcome: 'useless', ...nothing })
  await settled()
  desk.touched([id])
  desk.stale([id])
  await ask('/a.txt')
  t.is(native.jobs.length, 1)
  t.like(desk.counts().compression, { useless: 1, made: 0 })
})

test('an encoding that there is no room for is not made again and again', async (t) => {
  const { native, desk, ask, make } = setUp(t, {}, { bytes: 6_000 })
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  await ask('/a.txt')
  await make(2_000)
  const { id } = await ask('/a.txt')
  desk.touched([id])
  await settled()
  t.is(native.jobs.length, 1)
  t.true(desk.counts().cache.heldBytes <= 6_000)
})

test('after three failures in a row there is a pause, said once', async (t) => {
  const { native, desk, troubles, ask } = setUp(t)
  const nothing = { file: 0, size: 0, heldBytes: 0, hasDescriptor: false, error: 'ENOSPC' }
  for (let n = 0; n < 5; n++) {
    native.disk.set(`/site/${n}.txt`, { heldBytes: 5_000 })
    t.is((await ask(`/${n}.txt`)).status, 200)
    const job = native.jobs.at(-1)?.id ?? 0
    desk.encoded({ type: 'encoded', id: job, outcome: 'failed', ...nothing })
    await settled()
  }
  t.is(native.jobs.length, 3)
  t.is(troubles.length, 1)
  t.like(desk.counts().compression, { failed: 3, refused: 2, waiting: 0 })
})

test('what arrives after the end is given back', async (t) => {
  const { native, desk, ask } = setUp(t)
  native.disk.set('/site/a.txt', { heldBytes: 5_000 })
  await ask('/a.txt')
  desk.close()
  desk.encoded(native.made(native.jobs[0]?.id ?? 0, 10))
  await settled()
  t.deepEqual(native.open, [])
})
