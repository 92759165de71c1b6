// The public interface: what a configuration file and a program import from 'sluice'. Nothing is
// made here: names of other files alone.

export type {
  FilesAction,
  GatewayConfig,
  InlineProxyOptions,
  ProxyAction,
  RedirectAction,
  RedirectStatus,
  RespondAction,
  ResponseBody,
  RouteAction,
  TargetUrl,
} from './config/actions.ts'
export { defineGateway, files, proxy, redirect, respond } from './config/actions.ts'
export { type ChannelAction, channel } from './config/channels.ts'
export { ConfigError, type Problem } from './config/errors.ts'
export type { HandlerOptions, MountOptions } from './config/function-options.ts'
export type {
  FileInit,
  ForwardOptions,
  Handler,
  HandlerAction,
  HandlerContext,
  HandlerLog,
  MountAction,
  MountFactory,
  MountPlace,
  PathParams,
} from './config/functions.ts'
export { handler, mount } from './config/functions.ts'
export type {
  BasicAuthOptions,
  CorsOptions,
  ForwardAuthOptions,
  JwtOptions,
  MaintenanceOptions,
  RateLimitOptions,
  SecurityHeadersOptions,
} from './config/hook-options.ts'
export type {
  FunctionHook,
  Hook,
  HookAnswer,
  HookChanges,
  HookFieldEdits,
  HookFunctions,
  HookRedirect,
  Hooks,
  HookVerdict,
  OnRequest,
  ReadyHook,
  RememberedHead,
  RememberedHookFunctions,
  RememberOptions,
  RequestError,
  RequestHead,
  ResponseHead,
} from './config/hooks.ts'
export {
  basicAuth,
  cors,
  forwardAuth,
  hook,
  ipAllow,
  ipDeny,
  jwt,
  maintenance,
  rateLimit,
  securityHeaders,
} from './config/hooks.ts'
export type { ChannelOptions, UploadOptions } from './config/intake-options.ts'
export type {
  CertificateOptions,
  HttpsOnlyOptions,
  ListenerOptions,
  MtlsOptions,
  TlsOptions,
} from './config/listener-options.ts'
export type {
  AccessLogOptions,
  AdminOptions,
  CacheOptions,
  CompressOptions,
  FilesOptions,
  GatewayOptions,
  LimitsOptions,
  RedirectOptions,
  RespondOptions,
  TimeoutsOptions,
  TransferOptions,
} from './config/options.ts'
export type { RouteKey } from './config/pattern-types.ts'
export type {
  EjectionOptions,
  FieldEditsOptions,
  HealthOptions,
  KeepAliveOptions,
  ProxyHeadersOptions,
  ProxyOptions,
  ProxyTimeoutOptions,
  QueueOptions,
  RetryOptions,
  TargetOptions,
  UpstreamOptions,
} from './config/proxy-options.ts'
export {
  type InlineRelayOptions,
  type RelayAction,
  type RelayForm,
  type RelayHistory,
  type RelayOptions,
  relay,
} from './config/relays.ts'
export type { ResolvedConfig } from './config/resolved.ts'
export type { JwtAlgorithm } from './config/schema-hooks.ts'
export type { StatusPattern } from './config/status-pattern.ts'
export type { TransformHead, TransformHooks } from './config/transforms.ts'
export type { Duration, Size } from './config/units.ts'
export type { ConfigFileInput, CreateGatewayOptions, Gateway } from './gateway/gateway-types.ts'
export type { ReloadResult } from './gateway/generations.ts'
export { GatewayStateError } from './gateway/state-error.ts'
export { createGateway } from './gateway.ts'
export { AccessLogError, type LogField } from './native/access-log.ts'
export { AddonError } from './native/addon.ts'
export type { ContentCoding } from './native/interface.ts'
export { type Address, ListenError } from './native/listening.ts'
export { type GatewayUpstreams, UpstreamError } from './proxy/upstreams.ts'
export type { Logger } from './telemetry/log.ts'
export type { GatewayStats, GenerationStats } from './telemetry/stats.ts'
export type { TargetStats, UpstreamStats } from './telemetry/upstream-stats.ts'
