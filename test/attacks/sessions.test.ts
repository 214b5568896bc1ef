/** @file Sessions of an attack stay within their room: those used longest ago are released first. */
import { expect, test } from "vitest";
import { Sessions } from "../../src/attacks/oracle/sessions.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import type { Backend, Session } from "../../src/runtime/backend.js";

const MIB = 2 ** 20;
/** Takes 1 MiB a sample: half of it for the input, half for the output. */
function graphOf(name: string) {
  const b = new GraphBuilder(emptyGraph(name, 17));
  b.output(b.op("Relu", [b.input("x", "float32", ["n", MIB / 8])]), "float32", undefined);
  return b.build();
}

/** A backend that writes down what opens and closes. */
function logging() {
  const log: string[] = [];
  const session = (name: string): Session => ({
    inputs: ["x"],
    outputs: ["y"],
    run: async () => ({}),
    release: async () => void log.push(`-${name}`),
  });
  const compile = async ({ name }: { readonly name: string }) => {
    log.push(`+${name}`);
    return session(name);
  };
  return { log, backend: { name: "logging", compile } as Backend };
}

const nothing = async (): Promise<void> => {};

test("without a limit all stay open", async () => {
  const { log, backend } = logging();
  const sessions = new Sessions(backend);
  for (const name of ["a", "b", "c", "a"]) await sessions.use(name, graphOf(name), nothing);
  expect(log.join(" ")).toBe("+a +b +c");
  await sessions.release();
  expect(log.join(" ")).toBe("+a +b +c -b -c -a");
});

test("the one used longest ago makes room before the next opens", async () => {
  const { log, backend } = logging();
  const sessions = new Sessions(backend, { bytes: 8 * MIB, batch: 4 });
  for (const name of ["a", "b", "a", "c", "a", "b"]) await sessions.use(name, graphOf(name), nothing);
  expect(log.join(" ")).toBe("+a +b -b +c -c +b");
});

test("one session is open even where none fits", async () => {
  const { log, backend } = logging();
  const sessions = new Sessions(backend, { bytes: MIB, batch: 4 });
  for (const name of ["a", "a", "b"]) await sessions.use(name, graphOf(name), nothing);
  expect(log.join(" ")).toBe("+a -a +b");
});

test("a session that runs is not released", async () => {
  const { log, backend } = logging();
  const sessions = new Sessions(backend, { bytes: 4 * MIB, batch: 4 });
  await sessions.use("a", graphOf("a"), () => sessions.use("b", graphOf("b"), nothing));
  expect(log.join(" ")).toBe("+a +b");
  await sessions.use("c", graphOf("c"), nothing);
  expect(log.join(" ")).toBe("+a +b -a -b +c");
});

test("runs that begin together share a session", async () => {
  const { log, backend } = logging();
  const sessions = new Sessions(backend, { bytes: 4 * MIB, batch: 4 });
  await Promise.all([1, 2].map(() => sessions.use("a", graphOf("a"), nothing)));
  expect(log.join(" ")).toBe("+a");
});
