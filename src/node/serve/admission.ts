/** @file Who has a place: a bounded number of places, shared fairly between clients. Nothing here knows HTTP.
 *
 *  Laws, for any order of events:
 *  - Places taken = places given back + places held, and never more than `most` are held.
 *  - A place is given back once, however often it is left or pushed out.
 *  - Nobody pushes out a client that holds fewer places than itself.
 *  - A refused client holds at most one place fewer than every other client.
 *
 *  Source: max-min fairness, Bertsekas and Gallager, Data Networks, 1992, section 6.5.2. */

export interface AdmissionOptions {
  /** Most places held at a time. */
  readonly most: number;
  /** A place that waits longer than this for its client gives way to anyone. */
  readonly patienceMs: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: (() => number) | undefined;
}

/** The right to the server's memory and time. A new place waits for its client. */
export interface Place {
  /** The client has done its part: the server works now. */
  readonly work: () => void;
  /** The client has to act next. */
  readonly wait: () => void;
  /** Give the place back; again is no harm. */
  readonly giveBack: () => void;
}

interface Held {
  readonly client: string;
  /** Called after the place is taken away. */
  readonly pushOut: () => void;
  /** Order of arrival. */
  readonly number: number;
  /** Since when it waits for its client; undefined while the server works. */
  waits: number | undefined;
}

export class Admission {
  readonly most: number;
  readonly #patienceMs: number;
  readonly #now: () => number;
  readonly #held = new Map<string, Set<Held>>();
  #count = 0;
  #number = 0;

  constructor({ most, patienceMs, now = () => performance.now() }: AdmissionOptions) {
    this.most = most;
    this.#patienceMs = patienceMs;
    this.#now = now;
  }

  /** Places held. */
  get count(): number {
    return this.#count;
  }

  /** Places that a client holds. */
  countOf(client: string): number {
    return this.#held.get(client)?.size ?? 0;
  }

  /** Would {@link take} give this client a place now? */
  admits(client: string): boolean {
    return this.#count < this.most || this.#victimFor(client) !== undefined;
  }

  /** Take a place.
   * @param pushOut called when the place is taken away for another's sake; it is given back by then
   * @returns undefined when there is none */
  take(client: string, pushOut: () => void): Place | undefined {
    if (this.#count >= this.most) {
      const victim = this.#victimFor(client);
      if (!victim) return undefined;
      this.#remove(victim);
      victim.pushOut();
    }
    return this.#add({ client, pushOut, number: this.#number++, waits: this.#now() });
  }

  #add(held: Held): Place {
    const own = this.#held.get(held.client) ?? new Set();
    this.#held.set(held.client, own.add(held));
    this.#count++;
    return {
      work: () => {
        held.waits = undefined;
      },
      wait: () => {
        held.waits ??= this.#now();
      },
      giveBack: () => this.#remove(held),
    };
  }

  #remove(held: Held): void {
    const own = this.#held.get(held.client);
    if (!own?.delete(held)) return;
    if (own.size === 0) this.#held.delete(held.client);
    this.#count--;
  }

  /** Who gives way: first whoever has waited for its client too long, then someone of a client with at least two places more. */
  #victimFor(client: string): Held | undefined {
    const own = this.countOf(client);
    return this.#tooLong(own) ?? this.#tooMany(own);
  }

  /** Of the clients that hold as many or more, the place that has waited longest. */
  #tooLong(own: number): Held | undefined {
    const before = this.#now() - this.#patienceMs;
    const waiting = [...this.#held.values()].filter(({ size }) => size >= own).flatMap((of) => [...of]);
    const oldest = best(waiting, ({ waits }) => -(waits ?? Number.POSITIVE_INFINITY));
    return oldest?.waits !== undefined && oldest.waits < before ? oldest : undefined;
  }

  /** Of the client that holds most: what has waited longest for it, else what came last, as least was done for it. */
  #tooMany(own: number): Held | undefined {
    const largest = best([...this.#held.values()], ({ size }) => size);
    if (!largest || largest.size < own + 2) return undefined;
    const waiting = [...largest].filter(({ waits }) => waits !== undefined);
    if (waiting.length > 0) return best(waiting, ({ waits = 0 }) => -waits);
    return best([...largest], ({ number }) => number);
  }
}

/** The first entry with the highest score. */
function best<T>(entries: readonly T[], score: (entry: T) => number): T | undefined {
  let [found, highest]: [T | undefined, number] = [undefined, Number.NEGATIVE_INFINITY];
  for (const entry of entries) {
    const own = score(entry);
    if (own > highest) [found, highest] = [entry, own];
  }
  return found;
}
