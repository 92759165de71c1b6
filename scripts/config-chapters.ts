// What generate-config-docs.ts writes about: every table of options, its title, the name of its
// type, and the file that the type goes to.

import { accessLog } from '../src/config/access-log.ts'
import { admin } from '../src/config/admin.ts'
import { routeHooks } from '../src/config/read-hooks.ts'
import * as schema from '../src/config/schema.ts'
import { channel } from '../src/config/schema-channel.ts'
import * as functions from '../src/config/schema-functions.ts'
import * as hooks from '../src/config/schema-hooks.ts'
import { mirror } from '../src/config/schema-mirror.ts'
import * as proxies from '../src/config/schema-proxy.ts'
import * as relays from '../src/config/schema-relay.ts'
import * as routes from '../src/config/schema-routes.ts'
import * as targets from '../src/config/schema-target-tls.ts'
import * as tls from '../src/config/schema-tls.ts'
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
  /** Where its type is, when that is not config/options.ts. */
  file?:
    | 'proxy-options'
    | 'hook-options'
    | 'intake-options'
    | 'function-options'
    | 'listener-options'
  /** Options of a route, which has parameters and hooks. */
  isOfRoute?: boolean
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
    file: 'listener-options',
    about: 'One place to accept connections: a port or a path.',
    prefix: 'listen.',
    options: schema.listener as Chapter['options'],
  },
  {
    title: '`listen.tls`',
    typeName: 'TlsOptions',
    file: 'listener-options',
    about: 'TLS on a listener; docs/TLS.md says more.',
    prefix: 'listen.tls.',
    options: tls.tls as Chapter['options'],
  },
  {
    title: '`listen.tls.certificates`',
    typeName: 'CertificateOptions',
    file: 'listener-options',
    about: 'A certificate and its key.',
    prefix: 'listen.tls.certificates.',
    options: tls.certificate as Chapter['options'],
  },
  {
    title: '`listen.tls.mtls`',
    typeName: 'MtlsOptions',
    file: 'listener-options',
    about: 'Certificates of clients.',
    prefix: 'listen.tls.mtls.',
    options: tls.mtls as Chapter['options'],
  },
  {
    title: '`listen.tls.httpsOnly`',
    typeName: 'HttpsOnlyOptions',
    file: 'listener-options',
    about: 'The way to https for whoever comes without it.',
    prefix: 'listen.tls.httpsOnly.',
    options: tls.httpsOnly as Chapter['options'],
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
    title: '`admin`',
    typeName: 'AdminOptions',
    about: 'Where operators ask and steer.',
    prefix: 'admin.',
    options: admin as Chapter['options'],
  },
  {
    title: '`upstreams`',
    typeName: 'UpstreamOptions',
    file: 'proxy-options',
    about: 'Where requests can go, and how they are spread.',
    prefix: 'upstreams.NAME.',
    options: upstreams.upstream as Chapter['options'],
  },
  {
    title: '`targets` of an upstream',
    typeName: 'TargetOptions',
    file: 'proxy-options',
    about: 'One place that requests can go to; a URL alone stands for { url }.',
    prefix: 'targets[].',
    options: upstreams.target as Chapter['options'],
  },
  {
    title: '`keepAlive` of an upstream',
    typeName: 'KeepAliveOptions',
    file: 'proxy-options',
    about: 'Connections that wait for their next request.',
    prefix: 'keepAlive.',
    options: upstreams.keepAlive as Chapter['options'],
  },
  {
    title: '`tls` of an upstream',
    typeName: 'TargetTlsOptions',
    file: 'proxy-options',
    about: 'How TLS is spoken with https: targets.',
    prefix: 'tls.',
    options: targets.targetTls as Chapter['options'],
  },
  {
    title: '`queue` of an upstream',
    typeName: 'QueueOptions',
    file: 'proxy-options',
    about: 'Requests that wait while every target has as many as it may.',
    prefix: 'queue.',
    options: upstreams.queue as Chapter['options'],
  },
  {
    title: '`ejection` of an upstream',
    typeName: 'EjectionOptions',
    file: 'proxy-options',
    about: 'When a target that fails requests gets none for a while.',
    prefix: 'ejection.',
    options: upstreams.ejection as Chapter['options'],
  },
  {
    title: '`health` of an upstream',
    typeName: 'HealthOptions',
    file: 'proxy-options',
    about: 'Checks of every target; a path alone stands for { path }.',
    prefix: 'health.',
    options: upstreams.health as Chapter['options'],
  },
  {
    title: '`files(root, options)`',
    typeName: 'FilesOptions',
    isOfRoute: true,
    about: 'Options of files().',
    prefix: '',
    options: { ...routes.files, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`channel(name, options)`',
    typeName: 'ChannelOptions',
    file: 'intake-options',
    isOfRoute: true,
    about: 'Options of channel().',
    prefix: '',
    options: { ...channel, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`upload` of `files()`',
    typeName: 'UploadOptions',
    file: 'intake-options',
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
    isOfRoute: true,
    file: 'proxy-options',
    about: 'Options of proxy(). Beside inline targets those of an upstream may stand, too.',
    prefix: '',
    options: { ...proxies.proxy, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`headers` of proxy()',
    typeName: 'ProxyHeadersOptions',
    file: 'proxy-options',
    about: 'Header fields that proxy() changes.',
    prefix: 'headers.',
    options: proxies.headers as Chapter['options'],
  },
  {
    title: '`headers.request` and `headers.response` of proxy()',
    typeName: 'FieldEditsOptions',
    file: 'proxy-options',
    about: 'Changes to the header fields of a message.',
    prefix: 'headers.request.',
    options: proxies.requestEdits as Chapter['options'],
  },
  {
    title: '`timeout` of proxy()',
    typeName: 'ProxyTimeoutOptions',
    file: 'proxy-options',
    about: 'How long a target may take.',
    prefix: 'timeout.',
    options: proxies.timeout as Chapter['options'],
  },
  {
    title: '`retry` of proxy()',
    typeName: 'RetryOptions',
    file: 'proxy-options',
    about: 'When a request is tried again elsewhere.',
    prefix: 'retry.',
    options: proxies.retry as Chapter['options'],
  },
  {
    title: '`mirror` of proxy()',
    typeName: 'MirrorOptions',
    file: 'proxy-options',
    about: 'Who gets copies of requests; a target alone stands for { target }.',
    prefix: 'mirror.',
    options: mirror as Chapter['options'],
  },
  {
    title: '`accelRedirect` of proxy()',
    typeName: 'AccelRedirectOptions',
    file: 'proxy-options',
    about: 'Files that a target may name in X-Accel-Redirect.',
    prefix: 'accelRedirect.',
    options: proxies.accelRedirect as Chapter['options'],
  },
  {
    title: '`relay(to, options)`',
    typeName: 'RelayRouteOptions',
    isOfRoute: true,
    file: 'proxy-options',
    about: 'Options of relay(). Beside inline targets those of an upstream may stand, too.',
    prefix: '',
    options: { ...relays.relay, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`timeout` of relay()',
    typeName: 'RelayTimeoutOptions',
    file: 'proxy-options',
    about: 'How long a target of relay() may take.',
    prefix: 'timeout.',
    options: relays.relayTimeout as Chapter['options'],
  },
  {
    title: '`respond(status, body, options)`',
    typeName: 'RespondOptions',
    isOfRoute: true,
    about: 'Options of respond().',
    prefix: '',
    options: { ...routes.respond, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`redirect(status, location, options)`',
    typeName: 'RedirectOptions',
    isOfRoute: true,
    about: 'Options of redirect().',
    prefix: '',
    options: { ...routes.redirect, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`handler(function, options)`',
    typeName: 'HandlerOptions',
    file: 'function-options',
    isOfRoute: true,
    about: 'Options of handler().',
    prefix: '',
    options: { ...functions.handler, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`mount(function, options)`',
    typeName: 'MountOptions',
    file: 'function-options',
    isOfRoute: true,
    about: 'Options of mount().',
    prefix: '',
    options: { ...functions.mount, hooks: routeHooks } as Chapter['options'],
  },
  {
    title: '`rateLimit(options)`',
    typeName: 'RateLimitOptions',
    file: 'hook-options',
    about: 'Options of rateLimit().',
    prefix: '',
    options: hooks.rateLimit as Chapter['options'],
  },
  {
    title: '`cors(options)`',
    typeName: 'CorsOptions',
    file: 'hook-options',
    about: 'Options of cors().',
    prefix: '',
    options: hooks.cors as Chapter['options'],
  },
  {
    title: '`securityHeaders(options)`',
    typeName: 'SecurityHeadersOptions',
    file: 'hook-options',
    about: 'Options of securityHeaders(); false leaves a field out.',
    prefix: '',
    options: hooks.securityHeaders as Chapter['options'],
  },
  {
    title: '`maintenance(options)`',
    typeName: 'MaintenanceOptions',
    file: 'hook-options',
    about: 'Options of maintenance().',
    prefix: '',
    options: hooks.maintenance as Chapter['options'],
  },
  {
    title: '`basicAuth(options)`',
    typeName: 'BasicAuthOptions',
    file: 'hook-options',
    about: 'Options of basicAuth().',
    prefix: '',
    options: hooks.basicAuth as Chapter['options'],
  },
  {
    title: '`jwt(options)`',
    typeName: 'JwtOptions',
    file: 'hook-options',
    about: "Options of jwt(). One of 'jwks', 'secret' and 'publicKey' has to be there.",
    prefix: '',
    options: hooks.jwt as Chapter['options'],
  },
  {
    title: '`forwardAuth(options)`',
    typeName: 'ForwardAuthOptions',
    file: 'hook-options',
    about: 'Options of forwardAuth().',
    prefix: '',
    options: hooks.forwardAuth as Chapter['options'],
  },
]
