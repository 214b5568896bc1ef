/** @file The parts of the process that a command needs. */

/** All that commands need from the process. Tests can replace it. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
  /** The command line, for records. */
  readonly command?: string | undefined;
}
