// The one error that the configuration throws, with every problem that was found. Everybody who
// loads a configuration meets it: the command line prints it and exits with 2.

/** One thing that is wrong: where (`routes["/api/*"].files.index`, '' for the whole) and why. */
export interface Problem {
  path: string
  message: string
}

/**
 * The configuration cannot be used. `problems` lists everything wrong with it, not only the first.
 */
export class ConfigError extends Error {
  readonly code = 'ERR_SLUICE_CONFIG'
  readonly problems: readonly Problem[]
  /** The configuration file, absolute; '' for a configuration given as an object. */
  readonly file: string

  constructor(problems: readonly Problem[], file = '') {
    super(summary(problems, file))
    this.name = 'ConfigError'
    this.problems = problems
    this.file = file
  }
}

/** `routes["/*"].files.root: no such directory` */
export function problemLine(problem: Problem): string {
  return problem.path === '' ? problem.message : `${problem.path}: ${problem.message}`
}

function summary(problems: readonly Problem[], file: string): string {
  const lines = problems.map(problemLine)
  const subject = file === '' ? 'the configuration' : file
  if (lines.length === 1) return `${subject}: ${lines[0]}`
  return [`${subject} has ${lines.length} problems`, ...lines].join('\n  ')
}
