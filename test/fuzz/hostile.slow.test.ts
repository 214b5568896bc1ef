import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { HOSTILE } from "./hostile.js";
import { stagesOf, Tester } from "./tester.js";

const FOLDER = resolve(import.meta.dirname, "../fixtures/hostile");
const index = JSON.parse(readFileSync(join(FOLDER, "index.json"), "utf8")) as { name: string; expected: string }[];
const found = readdirSync(FOLDER).filter((file) => file.startsWith("found-"));

const tester = new Tester();
afterAll(() => tester.stop());

describe("a hostile model is refused in time and in little memory:", () => {
  test.each(HOSTILE)("$name, $about", async ({ name, expected }) => {
    const { answer, failure } = await tester.try({ file: join(FOLDER, `${name}.onnx`), sessions: true });
    expect(failure).toBeUndefined();
    expect(stagesOf(answer, expected)).toBe(expected);
  });

  test.each(found)("%s, which the fuzzer found", async (file) => {
    const { failure } = await tester.try({ file: join(FOLDER, file), sessions: true });
    expect(failure).toBeUndefined();
  });
});

test("the corpus is what scripts/make-hostile.mjs makes", () => {
  expect(index.map(({ name, expected }) => ({ name, expected }))).toEqual(
    HOSTILE.map(({ name, expected }) => ({ name, expected })),
  );
  for (const { name, bytes } of HOSTILE)
    expect(new Uint8Array(readFileSync(join(FOLDER, `${name}.onnx`)))).toEqual(bytes);
});
