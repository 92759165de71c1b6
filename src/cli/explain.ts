// sluice explain: which route takes a request, which file or target answers it, and which engine
// moves the bytes, each with the reason.

import type {
  ResolvedChannel,
  ResolvedConfig,
  ResolvedFiles,
  ResolvedRoute,
} from '../config/resolved.ts'
import { showSize } from '../config/units.ts'
import type { Decision } from '../files/decide.ts'
import type { Sidecar } from '../files/variants.ts'
import { loadAddon } from '../native/addon.ts'
import { errorInfo } from '../native/errors.ts'
import type { LookedEvent, NativeAddon, NativeMatch } from '../native/interface.ts'
import type { Command } from './command.ts'
import { configOptions, loadNamedConfig } from './configuration.ts'
import { proxyRows, relayRows } from './explain-proxy.ts'
import { isOnlyRedirected, schemeOf, secureEngine } from './explain-tls.ts'
import { columns } from './help.ts'
import { decideFile, matchesOf } from './inspection.ts'
import { whyBefore } from './precedence.ts'
import { type NamedRequest, parseRequest } from './request.ts'

/** A line of the answer: what it is about, and what there is to say. */
type Row = [topic: string, text: string]

export const explain: Command = {
  name: 'explain',
  usage: '[METHOD] URL',
  summary: 'say which route, which file or target and which engine, and why',
  details: `Nothing is sent. The URL may be 'http://host/path', 'host/path' or '/path'; the method
is GET unless named.`,
  options: configOptions,
  words: [1, 2],
  async run(invocation) {
    const request = parseRequest(invocation.words)
    const config = await loadNamedConfig(invocation)
    const { method, host, target } = request
    const scheme = schemeOf(config, request)
    console.log(`${method} ${scheme}://${host}${target}\n`)
    const addon = loadAddon()
    const rows = await rowsFor(addon, config, request)
    if (scheme === 'http' && isOnlyRedirected(config, request)) {
      rows.unshift(['answer', '308 to the same by https (httpsOnly); there:'])
    } else if (scheme === 'https') {
      for (const row of rows) if (row[0] === 'engine') row[1] = secureEngine(addon, config, row[1])
    }
    console.log(columns(rows))
    return 0
  },
}

async function rowsFor(
  addon: NativeAddon,
  config: ResolvedConfig,
  request: NamedRequest,
): Promise<Row[]> {
  const { match, routes } = matchesOf(addon, config, request)
  const [winner, ...others] = routes
  if (winner === undefined) return refusal(match)
  const rows: Row[] = [['route', `'${winner.key}': ${shownAction(winner.action)}`]]
  for (const other of others) {
    rows.push(['before', `'${other.key}', because ${whyBefore(winner, other)}`])
  }
  if (others.length === 0) rows.push(['', 'the only one that takes this request'])
  return [...rows, ...(await actionRows(addon, config, winner, match, request))]
}

function refusal({ error, allow }: NativeMatch): Row[] {
  if (error !== '') {
    const info = errorInfo(error)
    return [
      [
        'answer',
        `${info?.status ?? 400}, before any route is looked for: ${info?.meaning ?? error}`,
      ],
    ]
  }
  if (allow.length === 0) return [['answer', '404: no route takes this host and path']]
  return [['answer', `405: the path is routed for ${allow.join(', ')}`]]
}

function shownAction(action: ResolvedRoute['action']): string {
  switch (action.kind) {
    case 'files':
      return `files('${action.root}')`
    case 'respond':
      return `respond(${action.status})`
    case 'redirect':
      return `redirect(${action.status}, '${template(action.location)}')`
    case 'channel':
      return `channel('${action.name}')`
    case 'proxy':
    case 'relay':
      return `${action.kind}('${action.upstream}')`
    case 'handler':
    case 'mount':
      return `${action.kind}(…)`
  }
}

function template(parts: (ResolvedRoute['action'] & { kind: 'redirect' })['location']): string {
  return parts
    .map((part) => ('literal' in part ? part.literal : `$${part.variable.replace(':', '')}`))
    .join('')
}

async function actionRows(
  addon: NativeAddon,
  config: ResolvedConfig,
  { action }: ResolvedRoute,
  match: NativeMatch,
  request: NamedRequest,
): Promise<Row[]> {
  const { method } = request
  const prepared: Row = ['engine', 'memory: the answer was prepared when the gateway started']
  if (action.kind === 'redirect') {
    const query = action.keepQuery ? ' and the query of the request' : ''
    return [['answer', `${action.status} to ${template(action.location)}${query}`], prepared]
  }
  if (action.kind === 'respond') {
    const type = action.headers['Content-Type'] ?? 'no type'
    return [['answer', `${action.status}, ${action.body.length} bytes, ${type}`], prepared]
  }
  if (action.kind === 'proxy') return proxyRows(addon, config, action, request)
  if (action.kind === 'channel') return channelRows(action, method)
  if (action.kind === 'relay') return relayRows(config, action, request)
  if (action.kind === 'handler') return [['answer', 'what its function answers, in the app']]
  if (action.kind === 'mount') return [['answer', 'what the server answers that runs in the app']]
  const uploads = uploadRows(config, action, method, match.rest)
  if (uploads !== undefined) return uploads
  if (method !== 'GET' && method !== 'HEAD') {
    const { otherwise } = action
    if (otherwise) {
      const row: Row = ['otherwise', `files have no ${method}: ${shownAction(otherwise)}`]
      return [row, ...(await otherwiseRows(addon, config, otherwise, request))]
    }
    if (method === 'OPTIONS') return [['answer', '204: files() answers GET, HEAD and OPTIONS']]
    return [['answer', '405: files() answers GET, HEAD and OPTIONS']]
  }
  if (match.rest === null && !action.otherwise) {
    return [['answer', '404: such a path cannot name a file']]
  }
  return fileRows(addon, config, action, match.rest ?? '\0', request)
}

/** What a route does with a request that brings a file or removes one; undefined: it does not. */
function uploadRows(
  config: ResolvedConfig,
  { upload, root, transfer, sendfile }: ResolvedFiles,
  method: string,
  rest: string | null,
): Row[] | undefined {
  if (!upload.enabled) return undefined
  const path = `${root}${rest ?? ''}`
  if (method === 'DELETE' && upload.delete) return [['answer', `204, and ${path} is removed`]]
  if (method !== 'PUT' && method !== 'POST') return undefined
  const most = showSize(upload.bodyBytes ?? config.limits.bodyBytes)
  const name = method === 'POST' ? 'a new name in ' : ''
  const isCopied = config.transfer.mode === 'copy' || transfer === 'copy' || !sendfile
  return [
    ['answer', `201 or 204, when the body, at most ${most}, is there as ${name}${path}`],
    isCopied
      ? ['engine', 'copy: the configuration or the route says so']
      : ['engine', 'splice-in for large bodies, copy for small ones and those with a digest'],
  ]
}

function channelRows({ name, as, token }: ResolvedChannel, method: string): Row[] {
  if (method === 'POST' && token !== '') {
    return [['answer', `204 with the token, when the body is published on '${name}'`]]
  }
  if (method !== 'GET' && method !== 'HEAD') return [['answer', '405: a channel is for GET']]
  return [
    ['answer', `200, and what is published on '${name}' from then on, as ${as}`],
    ['engine', 'memory for small messages, sendfile for large ones'],
  ]
}

async function otherwiseRows(
  addon: NativeAddon,
  config: ResolvedConfig,
  otherwise: NonNullable<ResolvedFiles['otherwise']>,
  request: NamedRequest,
): Promise<Row[]> {
  return otherwise.kind === 'proxy' ? proxyRows(addon, config, otherwise, request) : []
}

async function fileRows(
  addon: NativeAddon,
  config: ResolvedConfig,
  action: ResolvedFiles,
  rest: string,
  request: NamedRequest,
): Promise<Row[]> {
  const { decision, file, sidecars } = await decideFile(addon, config, action, rest)
  if (decision.relocation !== null) {
    const { drop, add } = decision.relocation
    const where = add === '/' ? ' with a slash: a directory' : ''
    const less = drop > 0 ? ` without its last ${drop} characters` : ''
    return [['answer', `${decision.status} to the same path${less}${where}`]]
  }
  if (decision.otherwise && action.otherwise) {
    const row: Row = ['otherwise', `no file: ${shownAction(action.otherwise)}`]
    return [row, ...(await otherwiseRows(addon, config, action.otherwise, request))]
  }
  if (decision.json !== null) return [['answer', `${decision.status}, a list of the directory`]]
  if (file === undefined) {
    const tried = decision.looks.map(({ path }) => `${action.root}/${path}`)
    const why = tried.length === 0 ? 'no name that is served' : `no file at ${tried.join(', ')}`
    return [['answer', `${decision.status}: ${why}`]]
  }
  const type = /^content-type: (.*)\r$/im.exec(decision.fields)?.[1] ?? 'no type'
  return [
    ['file', file.path],
    ['answer', `${decision.status}, ${file.found.size} bytes, ${type}`],
    ['engine', engineFor(addon, config, action, file.found)],
    ...variantRows(sidecars, decision),
    ...compressRows(action, decision, file.found),
  ]
}

/** What the gateway would make of the file itself. */
function compressRows({ compress }: ResolvedFiles, { wish, fields }: Decision, found: LookedEvent) {
  const { codings, minBytes, maxBytes } = compress
  const rows: Row[] = []
  if (wish) {
    const made = 'made in the background after the first request, if it becomes smaller'
    rows.push(['variant', `${wish.codings.join(', ')}: ${made}`])
  } else if (codings.length > 0 && (found.size < minBytes || found.size > maxBytes)) {
    const bounds = `${showSize(minBytes)} to ${showSize(maxBytes)}`
    rows.push(['', `not compressed: files of ${bounds} are`])
  } else if (codings.length > 0 && !/^vary:/im.test(fields)) {
    rows.push(['', 'not compressed: its type does not shrink, or it is encoded already'])
  }
  return rows
}

/** The encoded files, in the order in which clients that take them equally get them. */
function variantRows(sidecars: Sidecar[], { variants }: Decision): Row[] {
  const place = ({ found }: Sidecar) => variants.findIndex(({ file }) => file === found.file)
  const sent = sidecars.filter(({ flaw }) => flaw === '')
  const unsent = sidecars.filter(({ flaw }) => flaw !== '')
  return [
    ...sent
      .sort((one, other) => place(one) - place(other))
      .map(({ coding, path, found }): Row => {
        return ['variant', `${coding}, for clients that take it: ${path}, ${found.size} bytes`]
      }),
    ...unsent.map(({ coding, path, flaw }): Row => ['', `not ${coding}: ${path} is ${flaw}`]),
  ]
}

// The rule of native/transfer/choice.cc, in words.
function engineFor(
  addon: NativeAddon,
  { transfer }: ResolvedConfig,
  action: ResolvedFiles,
  { heldBytes, size }: { heldBytes: number; size: number },
): string {
  const bound = `transfer.memoryBytes (${showSize(transfer.memoryBytes)})`
  if (heldBytes > 0 || size === 0)
    return `memory: not larger than ${bound}, so one send is cheapest`
  if (transfer.mode === 'copy') return "copy: the configuration says transfer: 'copy'"
  if (!action.sendfile) return 'copy: the route says sendfile: false'
  if (action.transfer === 'copy') return "copy: the route says transfer: 'copy'"
  const sendfile = addon.capabilities().find(({ name }) => name === 'sendfile')
  if (sendfile?.available === false) return `copy: sendfile is refused here (${sendfile.error})`
  return `sendfile: larger than ${bound}, so the kernel sends it from its cache`
}
