#!/usr/bin/env node
/** @file The `dynn` command: argv in, exit code out. */
import { run } from "./run.js";
import { guardStreams } from "./shared/streams.js";
import { fitTo } from "./shared/terminal.js";

const failed = guardStreams(process.stdout, process.stderr, () => {
  process.exitCode ||= 1;
});
fitTo(process.stdout);
const code = await run(process.argv.slice(2));
process.exitCode = code === 0 && failed() ? 1 : code;
