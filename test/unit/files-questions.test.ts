// The desk for file questions with the descriptor cache and the table of answers behind it, on a
// pretended core that checks the contract of ids: what is asked once, shared, evicted and given
// back.

import test, { type ExecutionContext } from 'ava'
import { FileQuestions } from '../../src/files/questions.ts'
import { FakeNative } from '../support/fake-native.ts'
import { filesRoute } from '../support/files-route.ts'

interface SetupOptions {
  files?: number
  bytes?: number
  answers?: number
  descriptors?: number
  routes?: number
}

function setUp(t: ExecutionContext, options: SetupOptions = {}) {
  const { files = 100, bytes = 1_000_000, answers = 1000, routes = 1 } = options
  const { descriptors = 2 * files } = options
  const native = new FakeNative()
  const route = filesRoute('/site')
  const clock = { time: 1, now: () => clock.time }
  const faults: string[] = []
  const desk = new FileQuestions({
    native,
    routes: new Map(
      Array.from({ length: routes }, (_, index) => [
        index,
        { ...route, headers: { 'X-Route': String(index) } },
      ]),
    ),
    bounds: { files, bytes, answers, descriptors, directory: '' },
    onTrouble: (message) => faults.push(message),
    onFault: (message) => faults.push(message),
    clock,
  })
  native.onLooked = (event) => desk.looked(event)
  t.teardown(() => {
    desk.close()
    if (native.broken.length > 0) throw new Error(native.broken.join('\n'))
  })
  /** Asks and gives back the answer as the worker gets it. */
  const ask = async (path: string, from: { worker?: number; route?: number } = {}) => {
    const question = native.question(path, from)
    desk.ask(question)
    await settled()
    const got = native.answers.filter((each) => each.question === question.id)
    t.is(got.length, 1, `one answer to ${path}`)
    return got[0]?.answer ?? t.fail('no answer')
  }
  return { native, desk, clock, faults, ask }
}

/** Two turns of the loop: decisions are made, and what was gathered has been handed over. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('one path is asked once, however many workers and requests wait', async (t) => {
  const { native, desk } = setUp(t)
  native.disk.set('/site/a', {})
  native.automatic = false
  const questions = Array.from({ length: 50 }, (_, n) => native.question('/a', { worker: n % 4 }))
  for (const question of questions) desk.ask(question)
  t.is(native.looks.length, 1)
  native.settle()
  await settled()
  t.deepEqual(
    native.answers.map(({ worker, question }) => [worker, question]),
    questions.map(({ worker, id }) => [worker, id]),
  )
  t.is(new Set(native.answers.map(({ answer }) => answer.id)).size, 1)
  t.like(desk.counts().questions, { asked: 50, joined: 49, pending: 0 })
})

test('a file of several routes is held once', async (t) => {
  const { native, ask, desk } = setUp(t, { routes: 3 })
  native.disk.set('/site/a', {})
  const answers = [await ask('/a'), await ask('/a', { route: 1 }), await ask('/a', { route: 2 })]
  t.is(new Set(answers.map(({ file }) => file)).size, 1)
  t.is(new Set(answers.map(({ id }) => id)).size, 3)
  t.is(native.open.length, 1)
  t.like(desk.counts().cache, { files: 1, answers: 3, opened: 1, shared: 2 })
})

test('a look under way is shared by routes that ask meanwhile', async (t) => {
  const { native, desk } = setUp(t, { routes: 2 })
  native.disk.set('/site/a', {})
  native.automatic = false
  desk.ask(native.question('/a'))
  desk.ask(native.question('/a', { route: 1 }))
  t.is(native.looks.length, 1)
  native.settle()
  await settled()
  t.is(native.answers.length, 2)
})

test('another worker gets the answer under the same id after a fresh look', async (t) => {
  const { native, ask, desk } = setUp(t)
  native.disk.set('/site/a', {})
  const first = await ask('/a', { worker: 0 })
  t.is((await ask('/a', { worker: 1 })).id, first.id)
  t.is(native.looks.length, 2)
  t.is(native.open.length, 1)
  t.is(desk.counts().questions.confirmed, 1)
})

test('a look that finds another file replaces the old one and its answers', async (t) => {
  const { native, ask } = setUp(t, { routes: 2 })
  native.disk.set('/site/a', { identity: 1n })
  const old = [await ask('/a'), await ask('/a', { route: 1 })]
  native.disk.set('/site/a', { identity: 2n })
  const fresh = await ask('/a')
  t.deepEqual(native.forgotten.toSorted(), old.map(({ id }) => id).toSorted())
  t.deepEqual(native.open, [fresh.file])
})

test('absences are remembered and replaced when something appears', async (t) => {
  const { native, ask } = setUp(t)
  const missing = await ask('/a')
  t.like(missing, { status: 404, remember: true })
  t.is((await ask('/a')).id, missing.id)
  native.disk.set('/site/a', {})
  t.like(await ask('/a'), { status: 200 })
  t.deepEqual(native.forgotten, [missing.id])
})

test('stale answers are forgotten everywhere and their file is opened anew', async (t) => {
  const { native, ask, desk } = setUp(t)
  native.disk.set('/site/a', {})
  const first = await ask('/a')
  desk.stale([first.id, 4711])
  await settled()
  t.deepEqual(native.forgotten, [first.id])
  t.deepEqual(native.open, [])
  t.not((await ask('/a')).file, first.file)
  t.is(desk.counts().cache.stale, 1)
})

test('files are bounded; the least recently served goes with its answers', async (t) => {
  const { native, ask, desk } = setUp(t, { files: 3 })
  for (const name of 'abcd') native.disk.set(`/site/${name}`, {})
  const a = await ask('/a')
  const b = await ask('/b')
  await ask('/c')
  desk.touched([a.id])
  await ask('/d')
  t.deepEqual(native.forgotten, [b.id])
  t.is(native.open.length, 3)
  t.like(desk.counts().cache, { files: 3, answers: 3, evictedFiles: 1 })
})

test('bytes in memory are bounded', async (t) => {
  const { native, ask, desk } = setUp(t, { bytes: 100 })
  for (const name of 'abcd') native.disk.set(`/site/${name}`, { heldBytes: 40 })
  for (const name of 'abcd') await ask(`/${name}`)
  t.like(desk.counts().cache, { files: 2, heldBytes: 80, answers: 2 })
})

test('a file larger than the whole bound is sent but not remembered', async (t) => {
  const { native, ask, desk } = setUp(t, { bytes: 100 })
  native.disk.set('/site/a', { heldBytes: 101 })
  t.like(await ask('/a'), { status: 200, remember: false })
  t.deepEqual(native.open, [])
  t.like(desk.counts().cache, { files: 0, heldBytes: 0, answers: 0 })
})

test('an answer that weighs more than all may is given but not remembered', async (t) => {
  const { native, ask, desk } = setUp(t, { answers: 4 })
  const long = `/${'x'.repeat(2_000)}`
  native.disk.set(`/site${long}`, {})
  for (const path of [long, `${long}y`]) t.like(await ask(path), { remember: false })
  t.deepEqual(native.open, [])
  t.like(await ask('/a'), { remember: true })
  t.is(desk.counts().cache.answers, 1)
})

test('answers are bounded; a file goes with its last answer', async (t) => {
  const { native, ask, desk } = setUp(t, { answers: 2, routes: 2 })
  for (const name of 'abc') native.disk.set(`/site/${name}`, {})
  await ask('/a')
  await ask('/a', { route: 1 })
  await ask('/b')
  t.is(native.open.length, 2, 'a has one answer left')
  await ask('/c')
  t.is(native.open.length, 2, 'a has none left')
  t.is(native.forgotten.length, 2)
  t.like(desk.counts().cache, { files: 2, answers: 2, evictedAnswers: 2 })
})

test('a hot file survives a scan of ten times the bound', async (t) => {
  const { native, ask, desk } = setUp(t, { files: 50, answers: 50 })
  native.disk.set('/site/hot', {})
  const hot = await ask('/hot')
  for (let n = 0; n < 500; n++) {
    native.disk.set(`/site/${n}`, {})
    await ask(`/${n}`)
    if (n % 25 === 0) desk.touched([hot.id])
  }
  t.false(native.forgotten.includes(hot.id))
  t.true(native.open.includes(hot.file))
  t.is(native.open.length, 50)
})

test('a scan of absent paths does not drive out a hot file', async (t) => {
  const { native, ask, desk } = setUp(t, { files: 50, answers: 50 })
  native.disk.set('/site/hot', {})
  const hot = await ask('/hot')
  for (let n = 0; n < 500; n++) {
    await ask(`/missing-${n}`)
    if (n % 25 === 0) desk.touched([hot.id])
  }
  t.true(native.open.includes(hot.file))
  t.is(desk.counts().cache.answers, 50)
})

test('a file evicted while its answer is being made is sent once and not remembered', async (t) => {
  const { native, desk } = setUp(t, { files: 1 })
  native.disk.set('/site/a', {})
  native.disk.set('/site/b', {})
  native.automatic = false
  desk.ask(native.question('/a'))
  desk.ask(native.question('/b'))
  native.settle()
  await settled()
  t.deepEqual(
    native.answers.map(({ answer }) => [answer.status, answer.remember]),
    [
      [200, false],
      [200, true],
    ],
  )
  t.is(native.open.length, 1)
})

test('a file that only one of its decisions drops stays open for the others', async (t) => {
  const { native, desk, ask } = setUp(t, { routes: 2 })
  native.disk.set('/site/a', {})
  const first = await ask('/a')
  native.automatic = false
  desk.ask(native.question('/a', { route: 1 }))
  native.settle()
  desk.stale([first.id])
  await settled()
  t.is(native.answers.at(-1)?.answer.status, 200)
  t.deepEqual(native.open, [])
})

test('files that nobody asked for in a minute are closed', async (t) => {
  const { native, ask, desk, clock } = setUp(t)
  native.disk.set('/site/idle', {})
  native.disk.set('/site/hot', {})
  const idle = await ask('/idle')
  const hot = await ask('/hot')
  clock.time += 50_000
  desk.touched([hot.id])
  clock.time += 11_000
  desk.purgeIdle()
  await settled()
  t.deepEqual(native.open, [hot.file])
  t.deepEqual(native.forgotten, [idle.id])
  t.is(desk.counts().cache.idleFiles, 1)
})

test('when descriptors run out the cache gives up some of its own and looks again', async (t) => {
  const { native, ask, desk } = setUp(t)
  native.descriptors = 16
  for (let n = 0; n < 40; n++) {
    native.disk.set(`/site/${n}`, {})
    t.like(await ask(`/${n}`), { status: 200, remember: true })
  }
  t.is(desk.counts().cache.evictedFiles, 24)
  t.is(native.looks.length, 40 + 12)
})

test('descriptors are bounded apart from files in memory, which need none', async (t) => {
  const { native, ask, desk } = setUp(t, { files: 1_000, descriptors: 80 })
  for (let n = 0; n < 100; n++) {
    native.disk.set(`/site/held${n}`, { heldBytes: 10 })
    native.disk.set(`/site/open${n}`, { heldBytes: 0 })
    await ask(`/held${n}`)
    await ask(`/open${n}`)
    t.true(native.open.length <= n + 1 + 80)
  }
  const { files, evictedFiles } = desk.counts().cache
  t.true(evictedFiles >= 20 && evictedFiles <= 30, String(evictedFiles))
  t.is(files, 200 - evictedFiles)
})

test('files in memory are not given up for descriptors', async (t) => {
  const { native, ask, desk } = setUp(t)
  native.disk.set('/site/held', { heldBytes: 10 })
  native.disk.set('/site/a', {})
  await ask('/held')
  native.descriptors = 0
  t.like(await ask('/a'), { status: 503, remember: false })
  desk.relieve()
  t.is(native.open.length, 1)
})

test('a look that arrives after close gives its file back', async (t) => {
  const { native, desk } = setUp(t)
  native.disk.set('/site/a', {})
  native.automatic = false
  desk.ask(native.question('/a'))
  desk.close()
  native.settle()
  await settled()
  t.deepEqual(native.open, [])
  t.deepEqual(native.answers, [])
})

test('close gives back every file', async (t) => {
  const { native, ask, desk } = setUp(t)
  for (const name of 'abc') native.disk.set(`/site/${name}`, {})
  for (const name of 'abc') await ask(`/${name}`)
  desk.close()
  desk.close()
  t.deepEqual(native.open, [])
  desk.ask(native.question('/a'))
  await settled()
  t.is(native.answers.length, 3)
})

test('a fault of ours answers 500, is reported and not remembered', async (t) => {
  const { native, ask, faults, desk } = setUp(t)
  native.look = () => {
    throw new Error('no core')
  }
  t.like(await ask('/a'), { status: 500, remember: false })
  t.like(await ask('/a', { route: 7 }), { status: 500, remember: false })
  t.is(faults.length, 2)
  t.like(desk.counts().questions, { failed: 2, pending: 0 })
})

test('an answer that the core refuses becomes a 500', async (t) => {
  const { native, faults, ask } = setUp(t)
  const answer = native.answer.bind(native)
  native.answer = (worker, question, given) => {
    if (given.status === 404) throw new TypeError('fields: not a field line')
    answer(worker, question, given)
  }
  t.like(await ask('/a'), { status: 500, remember: false })
  t.is(faults.length, 1)
})

test('undecided questions are bounded', async (t) => {
  const { native, desk } = setUp(t)
  native.automatic = false
  for (let n = 0; n < 16_384; n++) desk.ask(native.question(`/${n}`))
  t.is(native.answers.length, 0)
  desk.ask(native.question('/one-more'))
  t.like(native.answers[0]?.answer, { status: 503, remember: false })
  desk.ask(native.question('/0'))
  t.is(native.answers.length, 1, 'joining one that is undecided is no new one')
  t.is(native.looks.length, 16_384)
  t.like(desk.counts().questions, { refused: 1, pending: 16_384 })
})

test('any order of questions, changes, evictions and closings keeps the contract', async (t) => {
  const { native, desk } = setUp(t, { files: 4, bytes: 200, answers: 6, routes: 2 })
  native.automatic = false
  let seed = 42
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return seed % below
  }
  for (let step = 0; step < 5000; step++) {
    const name = `/${'abcdefghij'[random(10)]}`
    const actions = [
      () => desk.ask(native.question(name, { worker: random(3), route: random(2) })),
      () => desk.ask(native.question(`${name}/`, { route: random(2) })),
      () => native.settle(random(3)),
      () =>
        native.disk.set(`/site${name}`, { identity: BigInt(random(9) + 1), heldBytes: random(90) }),
      () => native.disk.delete(`/site${name}`),
      () => desk.stale([native.answers.at(-1 - random(5))?.answer.id ?? 0]),
      () => desk.touched([native.answers.at(-1 - random(5))?.answer.id ?? 0]),
    ]
    actions[random(actions.length)]?.()
    if (random(3) === 0) await settled()
  }
  native.automatic = true
  native.settle()
  await settled()
  await settled()
  const { questions, cache } = desk.counts()
  t.is(native.answers.length, questions.asked)
  t.is(questions.pending, 0)
  t.is(native.open.length, cache.files)
  t.true(cache.files <= 4 && cache.heldBytes <= 200 && cache.answers <= 6)
})
