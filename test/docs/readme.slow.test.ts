/** @file The shell blocks of README run in a stranger's folder. */
import { afterAll, beforeAll } from "vitest";
import { isReadme, runShell, shellBlocks } from "./shell.js";
import { makeStranger, type Stranger } from "./stranger.js";

let stranger: Stranger;
beforeAll(async () => {
  stranger = await makeStranger();
});
afterAll(() => stranger?.remove());

runShell(shellBlocks.filter(isReadme), () => stranger);
