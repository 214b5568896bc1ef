/** @file The option --json of commands that print one value. The JSON goes to a file, or is
 *  printed alone. */
import { checkWritable, writeText } from "../../node/files.js";
import type { Io } from "./io.js";

/** Checks the file before the work.
 * @throws DynnError 'file/unwritable' */
export async function checkJson(json: string | undefined): Promise<void> {
  if (json !== undefined && json !== "-") await checkWritable(json);
}

/** Prints the text, and writes the value as JSON where the option asks for it. With "-" only the
 * JSON is printed.
 * @throws DynnError 'file/unwritable', 'file/full' */
export async function printWithJson(
  io: Io,
  json: string | undefined,
  { value, text }: { readonly value: unknown; readonly text: () => string },
): Promise<void> {
  const written = `${JSON.stringify(value, undefined, 2)}\n`;
  if (json === "-") return io.out(written);
  io.out(text());
  if (json === undefined) return;
  await writeText(json, written);
  io.out(`wrote ${json}\n`);
}
