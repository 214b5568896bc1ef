import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Admission, type Place } from "../../../src/node/serve/admission.js";
import { clientOf } from "../../../src/node/serve/clients.js";

const PATIENCE = 100;

type Event =
  | { readonly kind: "take"; readonly client: string }
  | { readonly kind: "work" | "wait" | "giveBack"; readonly which: number }
  | { readonly kind: "pass"; readonly ms: number };

const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("take" as const), client: fc.constantFrom(..."aaaabbcd") }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("work", "wait", "giveBack"), which: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(150) }) },
  ),
  // By default most scripts are too short to fill the places and let them grow old.
  { maxLength: 120, size: "max" },
);

/** A plain list of who holds what, kept beside the admission. */
interface Entry {
  readonly client: string;
  readonly place: Place;
  waits: number | undefined;
  state: "held" | "left" | "pushed";
}

/** Play events; call `check` around every taking. */
function play(
  most: number,
  script: readonly Event[],
  check: (before: ReadonlyMap<string, number>, entries: readonly Entry[], taken: boolean, event: Event) => void,
) {
  let now = 0;
  const admission = new Admission({ most, patienceMs: PATIENCE, now: () => now });
  const entries: Entry[] = [];
  const holding = () => entries.filter(({ state }) => state === "held");
  for (const event of script) {
    const before = countsOf(holding());
    let taken = false;
    if (event.kind === "pass") now += event.ms;
    else if (event.kind === "take") {
      const admits = admission.admits(event.client);
      let entry: Entry | undefined;
      const place = admission.take(event.client, () => {
        if (entry) entry.state = "pushed";
      });
      taken = place !== undefined;
      expect(taken).toBe(admits);
      if (place) {
        entry = { client: event.client, place, waits: now, state: "held" };
        entries.push(entry);
      }
    } else {
      const entry = entries[event.which % Math.max(1, entries.length)];
      entry?.place[event.kind]();
      if (entry && event.kind === "giveBack" && entry.state === "held") entry.state = "left";
      if (entry && event.kind === "work") entry.waits = undefined;
      if (entry && event.kind === "wait") entry.waits ??= now;
    }
    expect(admission.count).toBe(holding().length);
    for (const client of "abcd")
      expect(admission.countOf(client)).toBe(holding().filter((entry) => entry.client === client).length);
    check(before, entries, taken, event);
  }
  return { admission, entries, now: () => now };
}

function countsOf(entries: readonly Entry[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { client } of entries) found.set(client, (found.get(client) ?? 0) + 1);
  return found;
}

describe("admission, for any order of events", () => {
  test("holds no more than the most, and places taken are places given back and held", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), events, (most, script) => {
        const { admission, entries } = play(most, script, () => {});
        expect(admission.count).toBeLessThanOrEqual(most);
        for (const { place } of entries) place.giveBack();
        for (const { place } of entries) place.giveBack();
        expect(admission.count).toBe(0);
        for (let i = 0; i < most; i++) expect(admission.take("z", () => {})).toBeDefined();
      }),
    );
  });

  test("pushes out one at most, and only when every place is held", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), events, (most, script) => {
        let pushed = 0;
        play(most, script, (before, entries, _, event) => {
          const now = entries.filter(({ state }) => state === "pushed");
          expect(now.length - pushed).toBeLessThanOrEqual(1);
          if (now.length === pushed || event.kind !== "take") return;
          pushed = now.length;
          const held = [...before].reduce((sum, [, count]) => sum + count, 0);
          expect(held).toBe(most);
        });
      }),
    );
  });

  test("refuses only a client that holds at most one place fewer than any other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), events, (most, script) => {
        play(most, script, (before, _, taken, event) => {
          if (event.kind !== "take" || taken) return;
          const own = before.get(event.client) ?? 0;
          expect(Math.max(...before.values())).toBeLessThanOrEqual(own + 1);
        });
      }),
    );
  });

  test("takes from a client only what its share allows, unless it keeps a place waiting", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), events, (most, script) => {
        let clock = 0;
        const seen = new Set<Entry>();
        play(most, script, (before, entries, _, event) => {
          if (event.kind === "pass") clock += event.ms;
          for (const entry of entries.filter(({ state }) => state === "pushed")) {
            if (seen.has(entry) || event.kind !== "take") continue;
            seen.add(entry);
            const [own, theirs] = [before.get(event.client) ?? 0, before.get(entry.client) ?? 0];
            const waited = entry.waits !== undefined && clock - entry.waits > PATIENCE;
            expect(theirs).toBeGreaterThanOrEqual(waited ? own : own + 2);
          }
        });
      }),
    );
  });
});

describe("admission", () => {
  const make = (most: number) => {
    let now = 0;
    const out: string[] = [];
    const admission = new Admission({ most, patienceMs: PATIENCE, now: () => now });
    const take = (client: string, name = client) => admission.take(client, () => out.push(name));
    const pass = (ms: number) => {
      now += ms;
    };
    return { admission, take, out, pass };
  };

  test("gives one client everything as long as nobody else comes, and half of it when one does", () => {
    const { admission, take } = make(8);
    for (let i = 0; i < 8; i++) take("greedy")?.work();
    expect(take("greedy")).toBeUndefined();
    for (let i = 0; i < 4; i++) expect(take("modest")).toBeDefined();
    expect(take("modest")).toBeUndefined();
    expect([admission.countOf("greedy"), admission.countOf("modest")]).toEqual([4, 4]);
  });

  test("takes a slow body's place first, the slowest of them, and among working ones the youngest", () => {
    const { take, out, pass } = make(4);
    take("a", "first")?.work();
    take("a", "second");
    pass(1);
    take("a", "third");
    take("a", "fourth")?.work();
    take("b");
    take("b");
    take("c");
    expect(out).toEqual(["second", "third", "fourth"]);
  });

  test("lets a client that kept its places waiting push out its own", () => {
    const { admission, take, out, pass } = make(2);
    take("a", "first");
    take("a", "second");
    pass(PATIENCE);
    expect(admission.admits("a")).toBe(false);
    pass(1);
    expect(admission.admits("a")).toBe(true);
    expect(take("a", "third")).toBeDefined();
    expect(out).toEqual(["first"]);
  });

  test("lets nobody push out a slow body of a client that holds fewer places", () => {
    const { admission, take, out, pass } = make(3);
    take("slow");
    pass(2 * PATIENCE);
    take("busy")?.work();
    take("busy")?.work();
    expect(admission.admits("busy")).toBe(false);
    expect(take("busy")).toBeUndefined();
    expect(take("other")).toBeDefined();
    expect(out).toEqual(["slow"]);
  });

  test("counts how long it waits from when it last had to", () => {
    const { take, out, pass } = make(1);
    const place = take("a");
    place?.work();
    pass(10 * PATIENCE);
    place?.wait();
    pass(PATIENCE / 2);
    place?.wait();
    expect(take("a")).toBeUndefined();
    pass(PATIENCE);
    expect(take("a", "next")).toBeDefined();
    expect(out).toEqual(["a"]);
  });
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["64:ff9b::10.1.2.3", "64:ff9b:0:0::/64"],
  [undefined, "gone"],
])("the client at %s is %s", (address, client) => {
  expect(clientOf(address)).toBe(client);
});
