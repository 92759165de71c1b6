// What an option holds that names files beneath a directory: the directory, or what files() made,
// with the options that go with it. Types only.

/** Made by files(). */
export interface FilesOfRoot {
  readonly kind: 'files'
}

/** A directory, relative to the configuration file, or `files(directory, { … })`. */
export type FilesRoot = string | FilesOfRoot
