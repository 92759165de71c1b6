// What generate-config-docs.ts writes about: every table of options, its title, the name of its
// type, and the file that the type goes to.

import { accessLog } from '../src/config/access-log.ts'
import * as schema from '../src/config/schema.ts'
import { channel } from '../src/config/schema-channel.ts'
import * as functions from '../src/config/schema-functions.ts'
import * as proxies from '../src/config/schema-proxy.ts'
import * as routes from '../src/config/schema-routes.ts'
import { upload } from '../src/config/schema-upload.ts'
import * as upstreams from '../src/config/schema-upstreams.ts'
import type { Option } from '../src/config/section.ts'

export interface Chapter {
  /** Heading in the documentation. */
  title: string
  typeName: string
  /** One sentence for the type and under the heading. */
  about: string
  /** Precedes each key in the documentation. */
  prefix: string
  options: Record<string, Option<unknown>>
  /** Its type is in config/proxy-options.ts, not in config/options.ts. */
  isForwarding?: boolean
  /** Its type goes to intake-options.ts. */
  isIntake?: boolean
}

export const chapters: Chapter[] = [
  {
    title: 'Top level',
    typeName: 'GatewayOptions',
    about: 'The top level of a configuration, beside its routes.',
    prefix: '',
    options: schema.gateway as Chapter['options'],
  },
  {
    title: '`listen`',
    typeName: 'ListenerOptions',
    about: 'One place to accept connections: a port or a path.',
    prefix: 'listen.',
    options: schema.listener as Chapter['options'],
  },
  {
    title: '`limits`',
    typeName: 'LimitsOptions',
    about: 'What one client may ask for at most.',
    prefix: 'limits.',
    options: schema.limits as Chapter['options'],
  },
  {
    title: '`timeouts`',
    typeName: 'TimeoutsOptions',
    about: 'How long a client may take.',
    prefix: 'timeouts.',
    options: schema.timeouts as Chapter['options'],
  },
  {
    title: '`transfer`',
    typeName: 'TransferOptions',
    about: 'How bytes are moved.',
    prefix: 'transfer.',
    options: schema.transfer as Chapter['options'],
  },
  {
    title: '`cache`',
    typeName: 'CacheOptions',
    about: 'Bounds of what is remembered about files.',
    prefix: 'cache.',
    options: schema.cache as Chapter['options'],
  },
  {
    title: '`accessLog`',
    typeName: 'AccessLogOptions',
    about: 'One line for every request.',
    prefix: 'accessLog.',
    options: accessLog as Chapter['options'],
  },
  {
    title: '`upstreams`',
    typeName: 'UpstreamOptions',
    isForwarding: true,
    about: 'Where requests can go, and how they are spread.',
    prefix: 'upstreams.NAME.',
    options: upstreams.upstream as Chapter['options'],
  },
  {
    title: '`targets` of an upstream',
    typeName: 'TargetOptions',
    isForwarding: true,
    about: 'One place that requests can go to; a URL alone stands for { url }.',
    prefix: 'targets[].',
    options: upstreams.target as Chapter['options'],
  },
  {
    title: '`keepAlive` of an upstream',
    typeName: 'KeepAliveOptions',
    isForwarding: true,
    about: 'Connections that wait for their next request.',
    prefix: 'keepAlive.',
    options: upstreams.keepAlive as Chapter['options'],
  },
  {
    title: '`queue` of an upstream',
    typeName: 'QueueOptions',
    isForwarding: true,
    about: 'Requests that wait while every target has as many as it may.',
    prefix: 'queue.',
    options: upstreams.queue as Chapter['options'],
  },
  {
    title: '`ejection` of an upstream',
    typeName: 'EjectionOptions',
    isForwarding: true,
    about: 'When a target that fails requests gets none for a while.',
    prefix: 'ejection.',
    options: upstreams.ejection as Chapter['options'],
  },
  {
    title: '`health` of an upstream',
    typeName: 'HealthOptions',
    isForwarding: true,
    about: 'Checks of every target; a path alone stands for { path }.',
    prefix: 'health.',
    options: upstreams.health as Chapter['options'],
  },
  {
    title: '`files(root, options)`',
    typeName: 'FilesOptions',
    about: 'Options of files().',
    prefix: '',
    options: routes.files as Chapter['options'],
  },
  {
    title: '`channel(name, options)`',
    typeName: 'ChannelOptions',
    isIntake: true,
    about: 'Options of channel().',
    prefix: '',
    options: channel as Chapter['options'],
  },
  {
    title: '`upload` of `files()`',
    typeName: 'UploadOptions',
    isIntake: true,
    about: 'What is taken in beneath the root.',
    prefix: 'upload.',
    options: upload as Chapter['options'],
  },
  {
    title: '`compress` of `files()`',
    typeName: 'CompressOptions',
    about: 'Which encodings are made of which files.',
    prefix: 'compress.',
    options: routes.compress as Chapter['options'],
  },
  {
    title: '`proxy(to, options)`',
    typeName: 'ProxyOptions',
    isForwarding: true,
    about: 'Options of proxy(). Beside inline targets those of an upstream may stand, too.',
    prefix: '',
    options: proxies.proxy as Chapter['options'],
  },
  {
    title: '`headers` of proxy()',
    typeName: 'ProxyHeadersOptions',
    isForwarding: true,
    about: 'Header fields that proxy() changes.',
    prefix: 'headers.',
    options: proxies.headers as Chapter['options'],
  },
  {
    title: '`headers.request` and `headers.response` of proxy()',
    typeName: 'FieldEditsOptions',
    isForwarding: true,
    about: 'Changes to the header fields of a message.',
    prefix: 'headers.request.',
    options: proxies.requestEdits as Chapter['options'],
  },
  {
    title: '`timeout` of proxy()',
    typeName: 'ProxyTimeoutOptions',
    isForwarding: true,
    about: 'How long a target may take.',
    prefix: 'timeout.',
    options: proxies.timeout as Chapter['options'],
  },
  {
    title: '`retry` of proxy()',
    typeName: 'RetryOptions',
    isForwarding: true,
    about: 'When a request is tried again elsewhere.',
    prefix: 'retry.',
    options: proxies.retry as Chapter['options'],
  },
  {
    title: '`accelRedirect` of proxy()',
    typeName: 'AccelRedirectOptions',
    isForwarding: true,
    about: 'Files that a target may name in X-Accel-Redirect.',
    prefix: 'accelRedirect.',
    options: proxies.accelRedirect as Chapter['options'],
  },
  {
    title: '`respond(status, body, options)`',
    typeName: 'RespondOptions',
    about: 'Options of respond().',
    prefix: '',
    options: routes.respond as Chapter['options'],
  },
  {
    title: '`redirect(status, location, options)`',
    typeName: 'RedirectOptions',
    about: 'Options of redirect().',
    prefix: '',
    options: routes.redirect as Chapter['options'],
  },
  {
    title: '`handler(function, options)`',
    typeName: 'HandlerOptions',
    about: 'Options of handler().',
    prefix: '',
    options: functions.handler as Chapter['options'],
  },
  {
    title: '`mount(function, options)`',
    typeName: 'MountOptions',
    about: 'Options of mount().',
    prefix: '',
    options: functions.mount as Chapter['options'],
  },
]
