#!/usr/bin/env node
/** @file The `dynn` command: argv in, exit code out. */
import { run } from "./run.js";

// A reader that closes the pipe early (`dynn inspect ... | head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});
process.exitCode = await run(process.argv.slice(2));
