/** @file What a command needs from the process. */

/** Everything that commands need from the process, so that tests can stand in for it. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly signal: AbortSignal;
}
