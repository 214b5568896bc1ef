/** @file A Redis of its own on a free port, without a file. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts redis-server. After `kill` it can be started again on the same port, with nothing in it. */
export async function ownRedis() {
  const port = await freePort();
  const args = ["--port", `${port}`, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
  let child;
  const start = () =>
    new Promise((resolve, reject) => {
      child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
      child.stdout.on("data", (text) => /Ready to accept/.test(text) && resolve());
      child.once("error", reject);
    });
  await start();
  return { url: `redis://127.0.0.1:${port}`, start, pid: () => child.pid, kill: () => child.kill("SIGKILL") };
}
