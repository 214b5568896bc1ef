/** @file What happens when nobody reads what the command prints, or the disk behind standard output
 *  is full. */

type Stream = Pick<NodeJS.WriteStream, "on" | "write">;

/** Errors of the streams do not end the work. A reader that closes the pipe early
 * (`dynn inspect ... | head`) is not a failure. Any other error of standard output is said once on
 * standard error.
 * @returns whether standard output failed. `onFailure` tells it too, because an error may come
 *  after the work */
export function guardStreams(stdout: Stream, stderr: Stream, onFailure: () => void): () => boolean {
  let failed = false;
  stderr.on("error", () => undefined);
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || failed) return;
    failed = true;
    stderr.write(
      `error: standard output: cannot be written (${error.message}). Free some space or print to another place.${["ENOSPC", "EDQUOT", "EFBIG"].includes(error.code ?? "") ? " [file/full]" : " [file/unwritable]"}\n`,
    );
    onFailure();
  });
  return () => failed;
}
