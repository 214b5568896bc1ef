/** @file Packs the WebAssembly of the built page in brotli, beside it: 14 MB become 3. The npm package holds the packed form alone,
 *  and `dynn play` unpacks it. The build for WebGPU stays out of the package.
 *  Usage: node playground/compress.mjs      (after the page is built) */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const FOLDER = join(import.meta.dirname, "dist/assets");
/** More takes ten times as long and saves a tenth. */
const QUALITY = 9;

for (const name of readdirSync(FOLDER).filter((file) => /^ort-wasm-simd-threaded-[^.]*\.wasm$/.test(file))) {
  const bytes = readFileSync(join(FOLDER, name));
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(join(FOLDER, `${name}.br`), packed);
  console.log(`${name}: ${(bytes.length / 1e6).toFixed(1)} MB, in brotli ${(packed.length / 1e6).toFixed(1)} MB`);
}
