/** @file `dynn serve`: the server of a split network. It runs until Ctrl-C or SIGTERM, and then
 *  ends with exit code 0. */

import { type Command, Option } from "commander";
import { reasonOf } from "../../core/errors.js";
import { openBundle } from "../../node/deploy/bundle.js";
import { createServer } from "../../node/serve/server.js";
import { type BackendFlags, backendOf } from "../shared/backend-options.js";
import { type CommonFlags, common } from "../shared/common-options.js";
import { interrupted } from "../shared/interrupt.js";
import type { Io } from "../shared/io.js";
import { option, whole } from "../shared/options.js";

interface ServeFlags extends BackendFlags, CommonFlags<"port"> {
  readonly host: string;
  readonly token?: string;
  readonly maxBatch?: number;
  readonly maxBody?: number;
  readonly maxPending: number;
  readonly maxConnections: number;
  readonly proxy?: string;
  readonly timeout: number;
  readonly window: number;
}

export const serveCommand = (command: Command, io: Io): Command =>
  command
    .option(
      "--host <address>",
      "address to listen on; an address that other machines can reach needs a token",
      "127.0.0.1",
    )
    .addOption(common("port"))
    .addOption(tokenOption("the token that clients must send"))
    .addOption(
      option(
        "--max-batch <n>",
        "most samples in a request, and in one run (default: up to 64, as many as 1 GB holds)",
        whole(1, 64),
      ),
    )
    .addOption(
      option(
        "--max-body <bytes>",
        "most bytes of a request (default: --max-batch samples in float32)",
        whole(1, 1000000),
      ),
    )
    .addOption(option("--max-pending <n>", "most requests at a time; others get 503", whole(1, 64)).default(64))
    .addOption(
      option("--max-connections <n>", "most connections at a time; others get 503", whole(1, 1024)).default(1024),
    )
    .option(
      "--proxy <addresses>",
      "proxies whose X-Forwarded-For gives the client's address, e.g. 10.0.0.7,10.1.0.0/16",
    )
    .addOption(
      option("--timeout <ms>", "longest time to receive a request, and again to answer it", whole(1, 10000)).default(
        10000,
      ),
    )
    .addOption(
      option("--window <ms>", "how long a request waits for others to run together with", whole(0, 2)).default(2),
    )
    .addOption(common("threads"))
    .addOption(common("provider"))
    .addHelpText("after", HELP)
    .action((bundle: string, flags: ServeFlags) => serveAction(bundle, flags, io));

/** Everyone who may list processes sees a token on the command line, but not one in the
 * environment. */
export const tokenOption = (about: string): Option => new Option("--token <text>", about).env("DYNN_TOKEN");

const HELP = `
Endpoints:
  POST /classify  hidden values in, answers out (docs/serving.md has the format)
  GET /health     200 when a request would be accepted now, else 503.
                  It names the bundle, and needs no token
  GET /metrics    counts and times, as Prometheus text

After Ctrl-C or SIGTERM the server accepts no more requests and finishes those
in flight. It ends with exit code 0, after --timeout at the latest.

Examples:
  # Split a network, and serve the second half to this machine
  $ dynn export model.onnx --format split --at exit2 -o bundle
  $ dynn serve bundle

  # Serve other machines, behind a TLS proxy, with a token
  $ DYNN_TOKEN=$(openssl rand -hex 32) dynn serve bundle --host 0.0.0.0`;

async function serveAction(folder: string, flags: ServeFlags, io: Io): Promise<void> {
  const bundle = await openBundle(folder, { side: "server" });
  const { token, maxBatch, maxBody, maxPending, maxConnections, proxy, timeout: timeoutMs, window: windowMs } = flags;
  const backend = backendOf(flags);
  const onError = (error: unknown) => io.err(`${reasonOf(error)}\n`);
  const limits = { token, maxBatch, maxBody, maxPending, maxConnections, proxy, timeoutMs, windowMs };
  const server = await createServer(bundle, { ...limits, backend, onError });
  try {
    const url = await server.listen(flags);
    const { model, exits } = bundle.manifest;
    const names = bundle.parts[0]?.exits.map(({ exit }) => exits[exit]?.name).join(", ");
    io.out(`${model}: ${names}\nlistening on ${url}${token === undefined ? "" : ", with a token"}\n`);
    await interrupted(io.signal);
    io.err("stopping: finishing the requests in flight, accepting no more\n");
  } finally {
    await server.close();
  }
}
