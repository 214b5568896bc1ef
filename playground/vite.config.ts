/** @file How the page is built: relative addresses, so that it works on any host and in any folder. */
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { PAGE_POLICY } from "../src/node/play/policy.js";

const ROOT = resolve(import.meta.dirname, "..");

/** States the policy in the built page. The development server needs inline scripts. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: PAGE_POLICY.join("; ") },
      injectTo: "head-prepend",
    },
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
