import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { splitMaker, start } from "../device/support.js";
import { connect, head, held, post, sampleOf } from "./support.js";

const split = await splitMaker()();
const { bundle } = split;
const { request } = await sampleOf(split);

describe("one rude client", () => {
  test("that pipelines 101 requests and leaves holds no place", async () => {
    const { slow, reached, release } = held();
    const { url, server } = await start(bundle, { backend: slow, timeoutMs: 2000 });
    const socket = await connect(url);
    socket.write(head(request.length));
    socket.write(request);
    socket.write(head(0).repeat(100));
    await reached;
    await sleep(50);
    socket.destroy();
    await sleep(50);
    release();
    expect((await post(url, request)).status).toBe(200);
    await server.close();
  });
});
