/** @file A bounded number of places for requests or connections, shared fairly between clients.
 *  Nothing here depends on HTTP.
 *
 *  Laws, for any order of events:
 *  - Places taken = places given back + places held. The number of held places never exceeds
 *    `most`.
 *  - A place is given back once, however often its holder leaves or is evicted.
 *  - A client never evicts a client that holds fewer places.
 *  - A refused client holds at most one place fewer than every other client.
 *
 *  Source: max-min fairness, Bertsekas and Gallager, Data Networks, 1992, section 6.5.2. */

export interface AdmissionOptions {
  /** The most places that are held at a time. */
  readonly most: number;
  /** Milliseconds. A place that waits longer for its client may be evicted for any client. */
  readonly patienceMs: number;
  /** The time in milliseconds, from a clock that never goes back. */
  readonly now?: (() => number) | undefined;
}

/** The right to use the server's memory and time. A new place waits for its client. */
export interface Place {
  /** The client has sent its part. The server works now. */
  readonly work: () => void;
  /** The client must act next. */
  readonly wait: () => void;
  /** Gives the place back. Further calls do nothing. */
  readonly giveBack: () => void;
}

interface Held {
  readonly client: string;
  /** Called after the place is evicted. */
  readonly pushOut: () => void;
  /** Order of arrival. */
  readonly number: number;
  /** When the place began to wait for its client. Undefined while the server works. */
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

  /** The number of places held. */
  get count(): number {
    return this.#count;
  }

  /** The number of places that a client holds. */
  countOf(client: string): number {
    return this.#held.get(client)?.size ?? 0;
  }

  /** Whether {@link take} would give this client a place now. */
  admits(client: string): boolean {
    return this.#count < this.most || this.#victimFor(client) !== undefined;
  }

  /** Take a place.
   * @param pushOut called after the place is evicted for another client and given back
   * @returns undefined when no place can be had */
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

  /** The place to evict: a place that has waited too long, else a place of a client that holds at
   * least two more than `client`. */
  #victimFor(client: string): Held | undefined {
    const own = this.countOf(client);
    return this.#tooLong(own) ?? this.#tooMany(own);
  }

  /** The place that has waited longest, among the clients that hold at least `own` places. */
  #tooLong(own: number): Held | undefined {
    const before = this.#now() - this.#patienceMs;
    const waiting = [...this.#held.values()].filter(({ size }) => size >= own).flatMap((of) => [...of]);
    const oldest = best(waiting, ({ waits }) => -(waits ?? Number.POSITIVE_INFINITY));
    return oldest?.waits !== undefined && oldest.waits < before ? oldest : undefined;
  }

  /** A place of the client that holds most: the longest waiting, else the newest, because the
   * server has done least for it. */
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
