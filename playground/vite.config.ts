/** @file How the page is built: relative addresses, so that it works on any host and in any folder. */
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const ROOT = resolve(import.meta.dirname, "..");

/** What the page may do: run its own scripts and WebAssembly, and speak to its own origin alone. */
const POLICY = [
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
].join("; ");

/** States the policy in the built page. The development server needs inline scripts. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  publicDir: false,
  resolve: { alias: { "dynn/web": resolve(ROOT, "src/web/index.ts") } },
  plugins: [contentSecurityPolicy],
  server: { fs: { allow: [ROOT] } },
  worker: { format: "es" },
  build: { target: "es2022", outDir: "dist", emptyOutDir: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
});
