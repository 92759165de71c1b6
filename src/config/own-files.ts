// Our own files are TypeScript in a checkout and JavaScript in the package.

/** `.ts` or `.js`, as the module that asks. */
export function extensionOf(moduleUrl: string): string {
  return moduleUrl.endsWith('.ts') ? '.ts' : '.js'
}
