/** @file The order of tasks, and what happens when tasks fail, end their workers, or are done by others. The engine is a fake. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DynnError } from "../../../src/core/errors.js";
import { conduct, type TaskEnd, type TaskEngine, type TaskNews } from "../../../src/studies/tasks/conduct.js";
import { TaskGraph } from "../../../src/studies/tasks/graph.js";
import { Schedule } from "../../../src/studies/tasks/schedule.js";
import type { TaskKey } from "../../../src/studies/tasks/task.js";

const add = (graph: TaskGraph, number: number, inputs: readonly TaskKey[] = []): TaskKey =>
  graph.add({ kind: "fake", version: 1, parameters: { number }, inputs: { inputs } });

/** a and b, c needs both, d needs c, e needs nothing. */
function diamond() {
  const graph = new TaskGraph();
  const [a, b] = [add(graph, 0), add(graph, 1)];
  const c = add(graph, 2, [a, b]);
  return { graph, a, b, c, d: add(graph, 3, [c]), e: add(graph, 4) };
}

const DONE: TaskEnd = { end: "done" };
const nothing = { done: async () => new Set<TaskKey>() };

/** An engine with two slots, whose tasks end as the function says. */
function fake(ending: (key: TaskKey, attempt: number) => TaskEnd | Promise<TaskEnd>) {
  const started: TaskKey[] = [];
  let busy = 0;
  const engine: TaskEngine = {
    takes: () => busy < 2,
    run: async ({ key }) => {
      busy++;
      started.push(key);
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy--;
      return ending(key, started.filter((one) => one === key).length);
    },
  };
  return { engine, started };
}

test("every task starts once, behind its inputs", async () => {
  const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(graphs, async (shape) => {
      const graph = new TaskGraph();
      const keys: TaskKey[] = [];
      for (const [i, inputs] of shape.entries())
        keys.push(
          add(
            graph,
            i,
            inputs.flatMap((one) => keys[one % Math.max(i, 1)] ?? []),
          ),
        );
      const { engine, started } = fake(() => DONE);
      const { done } = await conduct(graph, nothing, engine);
      expect([...started].sort()).toEqual([...keys].sort());
      expect(done.size).toBe(graph.size);
      for (const { key, task } of graph.all())
        for (const input of task.inputs.inputs) expect(started.indexOf(input)).toBeLessThan(started.indexOf(key));
    }),
    { numRuns: 30 },
  );
});

test("a task that ends its worker once runs again, and after two times it is set aside with those that need it", async () => {
  const { graph, a, b, c, d, e } = diamond();
  const { engine, started } = fake((key, attempt) =>
    key === a || (key === b && attempt === 1) ? { end: "died", reason: "signal SIGKILL" } : DONE,
  );
  const news: TaskNews[] = [];
  const { done, setAside } = await conduct(graph, nothing, engine, { onTask: (one) => news.push(one) });
  expect([...done].sort()).toEqual([b, e].sort());
  expect(started.filter((key) => key === a)).toHaveLength(2);
  expect(setAside.map(({ key }) => key)).toEqual([a, c, d]);
  expect(setAside[0]?.reason).toBe("it ended its worker 2 times (signal SIGKILL)");
  expect(setAside[2]?.reason).toBe(`it needs task ${c.slice(0, 12)} (fake), which was set aside`);
  expect(news.filter(({ setAside: given }) => given).map(({ key }) => key)).toEqual([a]);
});

test("a task that fails is set aside at once", async () => {
  const { graph, a, c, d } = diamond();
  const { engine, started } = fake((key) => (key === a ? { end: "failed", reason: "wrong" } : DONE));
  const { setAside } = await conduct(graph, nothing, engine);
  expect(setAside.map(({ key }) => key)).toEqual([a, c, d]);
  expect(started).toHaveLength(3);
});

test("a full store ends the run with its error, and running tasks are stopped first", async () => {
  const { graph, a } = diamond();
  const full = new DynnError("file/full", "store: the disk is too full");
  let stopped = 0;
  const engine: TaskEngine = {
    takes: () => true,
    run: ({ key }, signal) =>
      key === a
        ? Promise.resolve({ end: "broken", error: full })
        : new Promise((resolve) =>
            signal.addEventListener("abort", () => {
              stopped++;
              resolve({ end: "stopped" });
            }),
          ),
  };
  await expect(conduct(graph, nothing, engine)).rejects.toBe(full);
  expect(stopped).toBe(2);
});

test("an aborted run waits for its tasks and throws the reason", async () => {
  const { graph } = diamond();
  const stop = new AbortController();
  const ends: string[] = [];
  const engine: TaskEngine = {
    takes: () => true,
    run: (_, signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () =>
          setTimeout(() => {
            ends.push("stopped");
            resolve({ end: "stopped" });
          }, 5),
        ),
      ),
  };
  setTimeout(() => stop.abort(new Error("Ctrl-C")), 5);
  await expect(conduct(graph, nothing, engine, { signal: stop.signal })).rejects.toThrow("Ctrl-C");
  expect(ends).toHaveLength(3);
});

test("what others do counts, also for a task that runs here", async () => {
  const { graph, a, b, c, d, e } = diamond();
  const done = new Set([e]);
  const engine: TaskEngine = {
    takes: () => true,
    run: ({ key }, signal) => {
      if (key === a) setTimeout(() => done.add(a), 10);
      else return Promise.resolve(DONE);
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve({ end: "stopped" })));
    },
  };
  const end = await conduct(graph, { done: async () => new Set(done) }, engine, { pollMs: 5 });
  expect([...end.done].sort()).toEqual([a, b, c, d, e].sort());
});

test("a task that another process holds is asked for again later", async () => {
  const { graph, a } = diamond();
  const { engine, started } = fake((key, attempt) => (key === a && attempt < 3 ? { end: "stopped" } : DONE));
  const from = performance.now();
  expect((await conduct(graph, nothing, engine, { pollMs: 20 })).done.size).toBe(5);
  expect(started.filter((key) => key === a)).toHaveLength(3);
  expect(performance.now() - from).toBeGreaterThan(35);
});

test("a store that cannot be asked ends the run", async () => {
  const { graph } = diamond();
  const gone = new DynnError("store/unreachable", "store: cannot be read");
  await expect(conduct(graph, { done: () => Promise.reject(gone) }, fake(() => DONE).engine)).rejects.toBe(gone);
});

test("a schedule of 10,000 tasks takes little time", () => {
  const graph = new TaskGraph();
  let layer: TaskKey[] = [];
  for (let i = 0; i < 10_000; i++) layer = [...layer.slice(-2), add(graph, i, i % 100 === 0 ? [] : layer)];
  const schedule = new Schedule(graph);
  for (let [next] = schedule.ready(); next; [next] = schedule.ready()) {
    schedule.start(next.key);
    schedule.finish(next.key);
  }
  expect(schedule.done.size).toBe(10_000);
}, 10_000);
