// The options by which several commands name their configuration, and loading it.

import { findConfig, loadConfigFile } from '../config/load.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { parseDuration } from '../config/units.ts'
import { type CommandOption, type Invocation, UsageError } from './command.ts'

export const configOptions: Record<string, CommandOption> = {
  config: { value: 'FILE', help: 'the configuration file (default: gateway.config.ts here)' },
  'config-timeout': {
    value: 'DURATION',
    help: 'how long its evaluation may take (default: 10s)',
  },
}

/** Loads the configuration that the options name. Throws ConfigError or UsageError. */
export async function loadNamedConfig({ options }: Invocation): Promise<ResolvedConfig> {
  const timeoutMs = parseDuration(options['config-timeout'] ?? '10s')
  if (timeoutMs === undefined || timeoutMs < 1) {
    throw new UsageError("--config-timeout needs a duration such as '10s'")
  }
  return loadConfigFile(options.config ?? findConfig(process.cwd()), { timeoutMs })
}
