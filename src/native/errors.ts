// The errors of the core by their names in logs and stats. Pure data, any thread.
// Written by scripts/generate-error-docs.ts from native/core/errors.def; do not edit.

/** What is known of one error; status 0: no answer is sent, the connection just closes. */
export interface ErrorInfo {
  readonly status: number
  readonly source: 'downstream' | 'upstream' | 'internal' | 'config'
  readonly meaning: string
}

/** Every error of the core. */
export const errors = {
  'bad-request-line': {
    status: 400,
    source: 'downstream',
    meaning: 'request line is not method SP target SP HTTP-version CRLF',
  },
  'bad-method': { status: 400, source: 'downstream', meaning: 'method is not a token' },
  'bad-target': {
    status: 400,
    source: 'downstream',
    meaning: 'request-target has a character or a form that is not allowed',
  },
  'dot-segment': {
    status: 400,
    source: 'downstream',
    meaning: 'path has a . or .. segment, plain or percent-encoded',
  },
  'bad-version': {
    status: 400,
    source: 'downstream',
    meaning: 'protocol is not HTTP/1.0 or HTTP/1.1',
  },
  'unsupported-version': {
    status: 505,
    source: 'downstream',
    meaning: 'well-formed HTTP version that is not 1.x',
  },
  'bad-field-name': {
    status: 400,
    source: 'downstream',
    meaning: 'field name is not a token, or white space stands before the colon',
  },
  'bad-field-value': {
    status: 400,
    source: 'downstream',
    meaning: 'field value has a control character',
  },
  'folded-field': { status: 400, source: 'downstream', meaning: 'obsolete line folding' },
  'bad-line-ending': { status: 400, source: 'downstream', meaning: 'bare CR or bare LF' },
  'missing-host': { status: 400, source: 'downstream', meaning: 'HTTP/1.1 request without Host' },
  'bad-host': { status: 400, source: 'downstream', meaning: 'Host is repeated or malformed' },
  'bad-content-length': {
    status: 400,
    source: 'downstream',
    meaning: 'Content-Length is malformed, or two of them differ',
  },
  'length-with-chunked': {
    status: 400,
    source: 'downstream',
    meaning: 'both Content-Length and Transfer-Encoding',
  },
  'bad-transfer-encoding': {
    status: 400,
    source: 'downstream',
    meaning: 'Transfer-Encoding where it is not allowed, or chunked is not final or repeated',
  },
  'unknown-transfer-coding': {
    status: 501,
    source: 'downstream',
    meaning: 'a transfer coding other than chunked',
  },
  'no-tunnels': {
    status: 501,
    source: 'downstream',
    meaning: 'CONNECT: the gateway opens no tunnels to where a client wants',
  },
  'unsupported-expectation': {
    status: 417,
    source: 'downstream',
    meaning: 'Expect other than 100-continue',
  },
  'bad-chunk': {
    status: 400,
    source: 'downstream',
    meaning: 'chunk size, extension or ending is malformed',
  },
  'head-too-large': {
    status: 431,
    source: 'downstream',
    meaning: 'request head is over limits.headBytes',
  },
  'too-many-fields': {
    status: 431,
    source: 'downstream',
    meaning: 'more header fields than limits.headers',
  },
  'target-too-long': {
    status: 414,
    source: 'downstream',
    meaning: 'request-target is over limits.targetBytes',
  },
  'body-too-large': {
    status: 413,
    source: 'downstream',
    meaning: 'request body is over limits.bodyBytes, or bodyBytes of its route',
  },
  'bad-proxy-header': {
    status: 0,
    source: 'downstream',
    meaning: 'connection does not begin with a header of the PROXY protocol',
  },
  'untrusted-peer': {
    status: 0,
    source: 'downstream',
    meaning: 'a listener with proxyProtocol takes connections from trustedProxies only',
  },
  'plain-request': {
    status: 400,
    source: 'downstream',
    meaning: 'plain HTTP was sent to a port where TLS is spoken: use https://',
  },
  'tls-failed': { status: 0, source: 'downstream', meaning: 'the TLS handshake failed' },
  'too-many-handshakes': {
    status: 0,
    source: 'downstream',
    meaning: 'more TLS handshakes under way than limits.handshakes',
  },
  'head-timeout': {
    status: 408,
    source: 'downstream',
    meaning: 'request head not complete within timeouts.head',
  },
  'body-timeout': {
    status: 408,
    source: 'downstream',
    meaning: 'no byte of the request body within timeouts.body',
  },
  'idle-timeout': {
    status: 0,
    source: 'downstream',
    meaning: 'keep-alive connection idle for timeouts.idle',
  },
  'write-timeout': {
    status: 0,
    source: 'downstream',
    meaning: 'client took no byte within timeouts.write',
  },
  'too-slow': {
    status: 0,
    source: 'downstream',
    meaning: 'client took or sent less than timeouts.minimumRate allows',
  },
  'client-gone': {
    status: 0,
    source: 'downstream',
    meaning: 'client closed or reset the connection',
  },
  'too-many-questions': {
    status: 503,
    source: 'internal',
    meaning: 'too many requests wait for a decision',
  },
  'answer-timeout': {
    status: 503,
    source: 'internal',
    meaning: 'no decision within timeouts.head',
  },
  draining: { status: 503, source: 'internal', meaning: 'the gateway is shutting down' },
  'hook-failed': {
    status: 500,
    source: 'internal',
    meaning: 'a hook threw, or asked for what is not allowed',
  },
  'hook-timeout': {
    status: 504,
    source: 'internal',
    meaning: 'no verdict of a hook within timeouts.handler',
  },
  'hook-lost': {
    status: 502,
    source: 'internal',
    meaning: 'the app ended twice while a hook had the request',
  },
  'hook-unavailable': {
    status: 503,
    source: 'internal',
    meaning: 'there was no app that a hook could be asked in',
  },
  'address-denied': {
    status: 403,
    source: 'downstream',
    meaning: 'requests from this address are not taken',
  },
  'rate-limited': {
    status: 429,
    source: 'downstream',
    meaning: 'more requests than the rate limit of the route allows',
  },
  'no-target': {
    status: 503,
    source: 'upstream',
    meaning: 'no target of the upstream can take the request',
  },
  'queue-full': {
    status: 503,
    source: 'upstream',
    meaning: 'every target is at maxConnections and queue.length requests wait',
  },
  'queue-timeout': {
    status: 503,
    source: 'upstream',
    meaning: 'no target had room within queue.timeout',
  },
  'upstream-refused': {
    status: 502,
    source: 'upstream',
    meaning: 'the target refused the connection, or there is no way to it',
  },
  'connect-timeout': {
    status: 504,
    source: 'upstream',
    meaning: 'no connection to the target within timeout.connect',
  },
  'upstream-tls': {
    status: 502,
    source: 'upstream',
    meaning: 'no TLS with the target: its certificate is not valid for it, or they cannot agree',
  },
  'upstream-closed': {
    status: 502,
    source: 'upstream',
    meaning: 'the target closed the connection before it answered',
  },
  'upstream-cut-head': {
    status: 502,
    source: 'upstream',
    meaning: 'the target closed the connection within the head of its response',
  },
  'bad-status-line': {
    status: 502,
    source: 'upstream',
    meaning: 'status line of the target is not HTTP-version SP status SP reason CRLF',
  },
  'bad-upstream-field': {
    status: 502,
    source: 'upstream',
    meaning: 'header field of the target is malformed',
  },
  'bad-upstream-framing': {
    status: 502,
    source: 'upstream',
    meaning:
      'Content-Length or Transfer-Encoding of the target is malformed, repeated, or both are there',
  },
  'upstream-head-too-large': {
    status: 502,
    source: 'upstream',
    meaning: 'response head of the target is over limits.responseHeadBytes or has too many fields',
  },
  'unexpected-response': {
    status: 502,
    source: 'upstream',
    meaning: 'the target answered before it was asked',
  },
  'unexpected-upgrade': {
    status: 502,
    source: 'upstream',
    meaning: 'the target switched protocols unasked',
  },
  'first-byte-timeout': {
    status: 504,
    source: 'upstream',
    meaning: 'no response head within timeout.firstByte',
  },
  'between-timeout': {
    status: 0,
    source: 'upstream',
    meaning: 'no byte of the response body within timeout.between',
  },
  'total-timeout': {
    status: 504,
    source: 'upstream',
    meaning: 'the exchange was not over within timeout.total',
  },
  'upstream-bad-body': {
    status: 0,
    source: 'upstream',
    meaning: 'chunk of the response body is malformed',
  },
  'upstream-cut-body': {
    status: 0,
    source: 'upstream',
    meaning: 'the target closed the connection within the response body',
  },
  'unfit-stream': {
    status: 502,
    source: 'upstream',
    meaning:
      'a target of relay() answered with another status than 200, another type, or an encoded body',
  },
  'tunnel-broken': { status: 0, source: 'upstream', meaning: 'one side of a tunnel was reset' },
  'tunnel-timeout': {
    status: 0,
    source: 'upstream',
    meaning: 'no byte in either direction within timeout.tunnel',
  },
  'no-route': { status: 404, source: 'downstream', meaning: 'no route matches' },
  'method-not-allowed': {
    status: 405,
    source: 'downstream',
    meaning: 'the path is routed, the method is not',
  },
  'not-found': { status: 404, source: 'downstream', meaning: 'no such file' },
  'range-not-satisfiable': {
    status: 416,
    source: 'downstream',
    meaning: 'no requested range lies within the file',
  },
  'precondition-failed': {
    status: 412,
    source: 'downstream',
    meaning: 'If-Match or If-Unmodified-Since does not hold',
  },
  'short-file': {
    status: 0,
    source: 'internal',
    meaning: 'file is shorter than promised: truncated while being sent',
  },
  'file-error': { status: 500, source: 'internal', meaning: 'file cannot be opened or read' },
  'upload-refused': {
    status: 403,
    source: 'downstream',
    meaning: 'no file may be written or removed there',
  },
  'upload-conflict': {
    status: 409,
    source: 'downstream',
    meaning: 'something other than a file that may be replaced is there, or no directory is',
  },
  'upload-type': {
    status: 415,
    source: 'downstream',
    meaning: 'an upload is the file itself: neither multipart/form-data nor Content-Encoding',
  },
  'upload-range': {
    status: 400,
    source: 'downstream',
    meaning: 'an upload is a whole file: Content-Range is not taken',
  },
  'bad-digest': {
    status: 400,
    source: 'downstream',
    meaning: 'Content-Digest or Repr-Digest is malformed, or two of them differ',
  },
  'digest-mismatch': {
    status: 400,
    source: 'downstream',
    meaning: "the upload's sha-256 is not that of its Content-Digest or Repr-Digest",
  },
  'quota-exceeded': {
    status: 507,
    source: 'downstream',
    meaning: 'the files of the root would be over upload.quota',
  },
  'no-space': {
    status: 507,
    source: 'internal',
    meaning: 'the disk is full, or over the quota of its user',
  },
  'bad-token': {
    status: 401,
    source: 'downstream',
    meaning: 'publishing on a channel needs its token in Authorization: Bearer',
  },
  'fell-behind': {
    status: 0,
    source: 'downstream',
    meaning: 'client of a channel or a relay was further behind than its buffer reaches',
  },
  'out-of-descriptors': {
    status: 503,
    source: 'internal',
    meaning: 'process or system limit of open descriptors',
  },
  'internal-error': { status: 500, source: 'internal', meaning: 'a fault of ours' },
} as const satisfies Record<string, ErrorInfo>

/** Name of an error, as in logs and stats. */
export type ErrorName = keyof typeof errors

/** What is known of `name`; undefined when it is not of the core, such as an errno name. */
export function errorInfo(name: string): ErrorInfo | undefined {
  return Object.hasOwn(errors, name) ? errors[name as ErrorName] : undefined
}
