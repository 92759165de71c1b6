// What createGateway() takes and gives, as its users see it. Types only.

import type { GatewayConfig } from '../config/actions.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { InheritedSocket } from '../native/inheritance.ts'
import type { Address } from '../native/listening.ts'
import type { ChannelMessage } from '../native/publication.ts'
import type { GatewayUpstreams } from '../proxy/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import type { GatewayStats } from '../telemetry/stats.ts'
import type { ReloadResult } from './generations.ts'

/** Options of createGateway() that are no configuration. */
export interface CreateGatewayOptions {
  /** Where faults are reported; a pino logger fits. Default: JSON lines on stderr. */
  logger?: Logger
}

/** The configuration is in a file, absolute or relative to the working directory. */
export interface ConfigFileInput {
  configFile: string
}

/** A gateway in this process. It keeps the process alive from listen() until it has ended. */
export interface Gateway {
  /** The configuration with every default filled in; frozen. */
  readonly resolved: ResolvedConfig
  /**
   * Serves another configuration from now on: that of the file as it is now, or this object.
   * Requests under way end on the one that they began with, connections stay open, and what did
   * not change keeps its upstream connections, health, counts and remembered answers
   * (docs/RELOAD.md). Resolves when no request begins on the old one any more. Rejects with a
   * ConfigError, a ListenError or an AppError; then everything is as it was. Reloads happen one
   * after the other.
   */
  reload(config?: GatewayConfig): Promise<ReloadResult>
  /**
   * Binds every listener and starts serving; once. Rejects with a ListenError when an address
   * cannot be had, or an AccessLogError; the gateway has ended then.
   */
  listen(): Promise<Address[]>
  /** Where the admin listener is, once it listens; port 0 has become a number. */
  readonly adminAddresses: readonly Address[]
  /** Adds, removes and drains targets while the gateway runs. */
  readonly upstreams: GatewayUpstreams
  /**
   * Sends a message to every client of a channel() of this configuration, and gives the id that it
   * got. The bytes are copied: they may change afterwards. Throws when there is no such channel.
   */
  publish(channel: string, message: ChannelMessage): number
  /** What has been counted so far; the last figures when the gateway has ended. */
  stats(): GatewayStats
  /**
   * Opens the access log anew, so that a file that was renamed is left behind, within a moment.
   * Where that fails the log stays where it was, with a line in the gateway's own log.
   */
  reopenLogs(): void
  /**
   * Stops. By default what runs is finished first, for at most `timeouts.drain`; with
   * `drain: false`, or at a second call that says so, it is cut off. Resolves when all has ended.
   */
  close(options?: { drain?: boolean }): Promise<void>
}

/** What the process of a gateway needs beside what programs do. */
export interface Core extends Gateway {
  /**
   * Before listen(): sockets that its listeners take over instead of binding their own, and keys
   * under which TLS sessions of the process before go on here.
   */
  inherit(sockets: readonly InheritedSocket[], ticketKeys?: Uint8Array): void
  /** The listening sockets, for a successor; none unless it listens. */
  sockets(): InheritedSocket[]
  /** Those of session tickets, for a successor; empty unless it listens with TLS. */
  ticketKeys(): Uint8Array
  /** A successor has them and serves: nothing of them is removed, and what runs is finished. */
  succeed(): Promise<void>
  /** For how long some worker has not given a sign of life, in milliseconds. */
  silenceMs(): number
}
