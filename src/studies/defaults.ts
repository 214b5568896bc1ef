/** @file What a study fills in when the caller leaves it out: the version of dynn and the clock. */
import { VERSION } from "../core/version.js";

/** What the caller may leave out. */
export interface Recorded {
  /** Version of dynn, for the record. Default: the version of this package. */
  readonly version?: string | undefined;
  /** Clock in milliseconds. Default: that of the platform. */
  readonly now?: (() => number) | undefined;
}

/** Options without what is filled in, which the caller may still give. */
export type OpenRecorded<T> = Omit<T, keyof Recorded> & Recorded;

/** The options with version and clock. */
export const recorded = <T extends Recorded>(given: T): T & Filled => ({
  ...given,
  version: given.version ?? VERSION,
  now: given.now ?? (() => performance.now()),
});

interface Filled {
  readonly version: string;
  readonly now: () => number;
}
