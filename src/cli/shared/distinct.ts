/** @file Two options of one call that name the same output file. */

import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DynnError } from "../../core/errors.js";
import { outputPlace } from "../../node/output-files.js";

/** Refuse outputs that would overwrite each other, also where links lead to one file.
 * @param outputs the path of each option; options without a path are ignored
 * @throws DynnError 'cli/usage' when two options name one file */
export async function checkDistinct(outputs: Readonly<Record<string, string | undefined>>): Promise<void> {
  const taken = new Map<string, string>();
  for (const [name, path] of Object.entries(outputs)) {
    if (path === undefined || path === "-") continue;
    const place = await placeOf(path);
    const other = taken.get(place);
    if (other !== undefined)
      throw new DynnError("cli/usage", `${other} and ${name}: both are ${path}. Give each its own file.`, { path });
    taken.set(place, name);
  }
}

/** The file that an output is written to, without links. A folder that is not there yet stays as
 * it is called; the check of the output itself refuses it. */
async function placeOf(path: string): Promise<string> {
  const place = await outputPlace(path).catch(() => path);
  return join(await realpath(dirname(place)).catch(() => dirname(place)), basename(place));
}
