/** @file Checks of settings that servers and devices share. */
import { DynnError } from "../../core/errors.js";

/** @throws DynnError 'serve/config' */
export function checkWhole(name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new DynnError(
    "serve/config",
    `${name}: got ${value}, expected a whole number of at least ${least}. Give one.`,
    {
      name,
      value,
    },
  );
}

/** A token travels in a header, which holds visible ASCII only.
 * @throws DynnError 'serve/config' */
export function checkTokenText(token: string | undefined): void {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return;
  throw new DynnError(
    "serve/config",
    "token: is empty, or holds characters that are not visible ASCII. Make one with e.g. `openssl rand -hex 32`, or give none.",
  );
}
