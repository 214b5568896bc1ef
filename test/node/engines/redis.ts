/** @file A Redis of its own for a test, on a free port. Tests that need it are skipped where there is no redis-server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { onTestFinished } from "vitest";

/** Why tests with Redis are skipped, or undefined. */
export const NO_REDIS =
  spawnSync("redis-server", ["--version"]).status === 0
    ? undefined
    : "there is no redis-server here (Debian's package redis-server)";

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

export class TestRedis {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly port: number,
    private readonly password: string,
  ) {}

  static async start(password = ""): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), password);
    await redis.restart();
    onTestFinished(() => redis.kill());
    return redis;
  }

  get url(): string {
    return `redis://${this.password === "" ? "" : `:${this.password}@`}127.0.0.1:${this.port}`;
  }

  urlWith(password: string): string {
    return `redis://:${password}@127.0.0.1:${this.port}`;
  }

  /** Starts it with nothing in it. */
  async restart(): Promise<void> {
    const password = this.password === "" ? [] : ["--requirepass", this.password];
    const args = ["--port", String(this.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1", ...password];
    const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (text: Buffer) => /Ready to accept connections/.test(text.toString()) && resolve());
      child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
    });
  }

  /** Kills it; what it holds is lost. */
  kill(): void {
    this.#process?.kill("SIGKILL");
  }
}
