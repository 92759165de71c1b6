// What a route's key takes out of a path.

/** Values of the `:name` segments and, under '*', of what the final `*` matched; decoded. */
export type PathParams = { readonly [name: string]: string }
