/** @file The content security policy of the playground: its own scripts, WebAssembly and origin. */

/** What the page may do. The built page states it, and the server sends it with every file. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  // Plots carry a style sheet of their own.
  "style-src 'self' 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
] as const;
