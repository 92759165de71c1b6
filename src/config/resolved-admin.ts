// The admin listener of a resolved configuration.

export interface ResolvedAdmin {
  /** TCP; host is there when port is. */
  port?: number
  host?: string
  /** Unix socket, absolute. */
  path?: string
  /** Absolute. */
  tokenFile?: string
  /** What Host may say beside the usual. */
  hosts: string[]
}
