/** @file Lets a plain Node process load the TypeScript sources: `node --import ./test/fuzz/typescript.mjs file.ts`. */
import { register } from "node:module";

register("../support/typescript-workers.mjs?hooks", import.meta.url);
