// Statuses that send somebody elsewhere.

/** 301 and 308 are permanent; 307 and 308 keep the method and the body; 303 makes it a GET. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308
