// What functions of a configuration write to.

/** Where a handler writes; lines carry the request id and the route. As pino's loggers. */
export interface HandlerLog {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

export type LogMethod = (fieldsOrMessage: object | string, message?: string) => void
