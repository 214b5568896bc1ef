/** @file The counters of a server, as Prometheus text. A client without the token can raise one
 *  counter only: the counter of refusals. */
import type { Registry } from "prom-client";
import type { Routed } from "../../dynamic/route/route.js";

export interface Metrics {
  readonly registry: Registry;
  /** A request that has shown the token begins. Call the returned function with the status when it
   * ends. */
  readonly begin: (path: string) => (status: string) => void;
  /** A request is refused that did not show the token, or was not valid HTTP. */
  readonly refused: (status: number) => void;
  readonly received: (bytes: number) => void;
  readonly answered: (answers: readonly Routed[]) => void;
  readonly ran: (samples: number) => void;
}

/** Powers of two up to the largest batch. */
const batchBuckets = (most: number): number[] =>
  Array.from({ length: Math.ceil(Math.log2(most)) + 1 }, (_, k) => 2 ** k);

/** @param exits names of the model's exits */
export async function createMetrics(exits: readonly string[], maxBatch: number): Promise<Metrics> {
  const { Counter, Gauge, Histogram, Registry } = (await import("prom-client")).default;
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const requests = counter("dynn_requests_total", "Requests with the token that ended.", "path", "status");
  const refusals = counter("dynn_refused_total", "Requests refused before they showed the token.", "status");
  const samples = counter("dynn_samples_total", "Samples answered.");
  const taken = counter("dynn_exits_total", "Samples by the exit that answered them.", "exit");
  const bytes = counter("dynn_received_bytes_total", "Bytes of the bodies received.");
  const inFlight = new Gauge({
    name: "dynn_requests_in_flight",
    help: "Requests with the token that are not answered yet.",
    registers,
  });
  const seconds = new Histogram({
    name: "dynn_request_seconds",
    help: "Time from a request's header to the end of its answer.",
    labelNames: ["path"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const batches = new Histogram({
    name: "dynn_batch_samples",
    help: "Samples in one run of the network.",
    buckets: batchBuckets(maxBatch),
    registers,
  });
  for (const exit of exits) taken.inc({ exit }, 0);
  return {
    registry,
    begin: (path) => {
      inFlight.inc();
      const stop = seconds.startTimer({ path });
      return (status) => {
        stop();
        inFlight.dec();
        requests.inc({ path, status });
      };
    },
    refused: (status) => refusals.inc({ status: String(status) }),
    received: (count) => bytes.inc(count),
    answered: (answers) => {
      samples.inc(answers.length);
      for (const { stop } of answers) taken.inc({ exit: exits[stop] });
    },
    ran: (count) => batches.observe(count),
  };
}
