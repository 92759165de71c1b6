// Checked by the compiler, never run: relays that must compile, and options that contradict each
// other.

import { defineGateway, relay } from 'sluice'

defineGateway({
  routes: {
    '/a': relay('http://a'),
    '/b': relay('events', { history: 5, heartbeat: '5s' }),
    '/c': relay(['http://a', 'unix:/b'], { as: 'ndjson', historyBytes: '64kb', balance: 'hash' }),
    '/d': relay({ url: 'https://a', weight: 2 }, { as: 'raw', marker: new Uint8Array([71]) }),
    'GET /e/:id': relay('http://a', { path: '/live?x=1', as: 'raw', slow: 'disconnect' }),
  },
})

// @ts-expect-error pieces or bytes, not both
relay('http://a', { history: 1, historyBytes: '1kb' })
// @ts-expect-error lines have no comments
relay('http://a', { as: 'ndjson', heartbeat: '1s' })
// @ts-expect-error bytes have no comments
relay('http://a', { as: 'raw', heartbeat: '1s' })
// @ts-expect-error events begin with nothing in particular
relay('http://a', { as: 'sse', marker: 'x' })
// @ts-expect-error nor is sse, which is the default, cut at markers
relay('http://a', { marker: 'x' })
// @ts-expect-error lines are not either
relay('http://a', { as: 'ndjson', marker: 'x' })
// @ts-expect-error no stream of that kind
relay('http://a', { as: 'mp3' })
// @ts-expect-error not a policy
relay('http://a', { slow: 'wait' })
// @ts-expect-error an option of the upstream, not of a route to it
relay('events', { balance: 'hash' })
// @ts-expect-error no client's fields are passed on
relay('http://a', { forwarded: 'both' })
// @ts-expect-error a target is an URL
relay(['events'])
// @ts-expect-error nowhere to go
relay()
