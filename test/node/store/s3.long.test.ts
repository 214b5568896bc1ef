/** @file The store in a bucket: the first result stays, wrong keys and lost connections, long lists. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../../src/node/store/open.js";
import { accessFrom, s3TaskStore } from "../../../src/node/store/s3.js";
import { keyOf, type Task } from "../../../src/studies/tasks/task.js";
import { bucketServer, KEYS } from "./bucket-server.js";

const task = (number: number): Task => ({ kind: "fake", version: 1, parameters: { number }, inputs: {} });
const bytes = (text: string) => new TextEncoder().encode(text);
const result = (text: string) => ({ files: { "a.txt": bytes(text) } });

let server: Awaited<ReturnType<typeof bucketServer>>;
beforeAll(async () => {
  server = await bucketServer({ pageSize: 3 });
});
afterAll(() => server.close());
const open = (prefix: string, keys: object = {}) =>
  s3TaskStore(`s3://bucket/${prefix}`, { ...KEYS, endpoint: server.endpoint, ...keys });

describe("a store in a bucket", () => {
  test("keeps results, and lists those that are done", async () => {
    const store = await open("plain");
    const keys = Array.from({ length: 8 }, (_, i) => keyOf(task(i)));
    for (let i = 0; i < 7; i++) await store.publish(keys[i] ?? "", task(i), result(`text ${i}`));
    expect((await store.done(keys)).size).toBe(7);
    expect([...(await store.done([keys[7] ?? ""]))]).toEqual([]);
    const again = await open("plain");
    const manifest = await again.manifest(keys[4] ?? "");
    expect(again.id).toBe(store.id);
    expect(manifest && new TextDecoder().decode(await again.file(manifest, "a.txt"))).toBe("text 4");
    expect(await again.manifest(keys[7] ?? "")).toBeUndefined();
  });

  test("has one winner of a race, and everyone gets its bytes", async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => open("race")));
    expect(new Set(stores.map(({ id }) => id)).size).toBe(1);
    const key = keyOf(task(0));
    const manifests = await Promise.all(stores.map((store, i) => store.publish(key, task(0), result(`winner ${i}`))));
    const read = await Promise.all(stores.map(async (store, i) => store.file(manifests[i] as never, "a.txt")));
    expect(new Set(read.map((one) => new TextDecoder().decode(one))).size).toBe(1);
  });

  test("survives lost connections, before and after the server has kept an object", async () => {
    const store = await open("lost");
    server.lose.before = 2;
    await store.publish(keyOf(task(1)), task(1), result("one"));
    server.lose.after = 2;
    const manifest = await store.publish(keyOf(task(2)), task(2), result("two"));
    expect(new TextDecoder().decode(await store.file(manifest, "a.txt"))).toBe("two");
    expect([server.lose.before, server.lose.after]).toEqual([0, 0]);
  });

  test("says what is damaged", async () => {
    const store = await open("torn");
    const manifest = await store.publish(keyOf(task(1)), task(1), result("whole bytes"));
    const name = [...server.objects.keys()].find((one) => one.startsWith("torn/objects/")) ?? "";
    server.objects.set(name, Buffer.from("whole"));
    await expect(store.file(manifest, "a.txt")).rejects.toThrow(
      /s3:\/\/bucket\/torn\/objects\/.*: has 5 bytes of other content\. Remove this file.*\[store\/damaged\]/,
    );
  });
});

describe("a clear message", () => {
  test("for a wrong secret", async () => {
    await expect(open("x", { secretAccessKey: "wrong" })).rejects.toThrow(
      /s3:\/\/bucket\/x\/dynn-store\.json: the server refuses access \(status 403, SignatureDoesNotMatch\).*AWS_SECRET_ACCESS_KEY.*\[store\/unreachable\]/,
    );
  });

  test("for a server that is not there", async () => {
    await expect(open("x", { endpoint: "http://127.0.0.1:9" })).rejects.toThrow(
      /the server does not answer after 5 tries \(.*\)\. Check AWS_ENDPOINT_URL.*\[store\/unreachable\]/,
    );
  }, 20_000);

  test("for a bucket that is not there", async () => {
    await expect(s3TaskStore("s3://other/x", { ...KEYS, endpoint: server.endpoint })).rejects.toThrow(
      /the bucket does not exist/,
    );
  });

  test("for keys that are missing, and for a wrong name", async () => {
    expect(() => accessFrom({}, "s3://bucket/x")).toThrow(/the environment holds no keys\. Set AWS_ACCESS_KEY_ID/);
    await expect(open("").then(() => s3TaskStore("s3://", KEYS))).rejects.toThrow(/is not a place in a bucket/);
  });
});

test("a store is opened by its text", async () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  });
  try {
    expect((await openStore("s3://bucket/text")).id).toBe((await open("text")).id);
  } finally {
    process.env = before;
  }
});
