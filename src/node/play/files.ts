/** @file The files of the built playground, as the package or a clone has them. */
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { DynnError } from "../../core/errors.js";
import { packageFile } from "../data/package-root.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".wasm": "application/wasm",
};

/** The content type of a file. */
export const typeOf = (path: string): string => TYPES[extname(path)] ?? "application/octet-stream";

/** The folder of the built page.
 * @throws DynnError 'file/missing' when the page is not built */
export function pageFolder(): string {
  const folder = packageFile("playground", "dist");
  if (existsSync(join(folder, "index.html"))) return folder;
  throw new DynnError(
    "file/missing",
    `${folder}: the page is not built. Run \`npm run playground:build\` in the clone of dynn, or install dynn from npm.`,
    { folder },
  );
}

/** The files of a folder by their path in addresses. Nothing else can be asked for. */
export const filesIn = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length).replaceAll("\\", "/"), file]),
  );

/** The bytes of a file of the page. The package holds WebAssembly in brotli, and the build for
 * WebGPU only where onnxruntime-web is installed.
 * @returns undefined when there is no such file */
export async function bytesOf(files: ReadonlyMap<string, string>, path: string): Promise<Buffer | undefined> {
  const file = files.get(path);
  if (file !== undefined) return readFile(file);
  const packed = files.get(`${path}.br`);
  if (packed !== undefined) return promisify(brotliDecompress)(await readFile(packed));
  const installed = installedEngine(path);
  return installed === undefined ? undefined : readFile(installed);
}

/** A file of the package onnxruntime-web, where it is installed. Vite puts a hash into its name. */
function installedEngine(path: string): string | undefined {
  const name = /\/(ort-wasm-simd-threaded(?:\.\w+)?)-[\w-]+\.wasm$/.exec(path)?.[1];
  if (name === undefined) return undefined;
  try {
    return createRequire(import.meta.url).resolve(`onnxruntime-web/${name}.wasm`);
  } catch {
    return undefined;
  }
}
