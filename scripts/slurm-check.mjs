#!/usr/bin/env node
/** @file Runs a small study by the engine slurm, on a Slurm of its own on this machine, and compares its results with those of the
 *  engine local. Needs root, `npm run build`, and Debian's packages slurmctld, slurmd and slurm-client. Not a part of `npm test`.
 *  `node scripts/slurm-check.mjs [--jobs N]` */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runStudy } from "../dist/node/engines/index.js";
import { smallStudy } from "./study-kills/list.mjs";

const { values } = parseArgs({ options: { jobs: { type: "string", default: "2" } } });
const jobs = Number(values.jobs);
const folder = mkdtempSync(join(tmpdir(), "dynn-slurm-"));
const at = (name) => join(folder, name);
const host = hostname().split(".")[0];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One machine that is controller and node, without accounts: every user is believed. */
const CONFIG = `
ClusterName=dynn
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool")}
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd.pid")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${jobs} State=UNKNOWN
PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;

for (const name of ["state", "spool"]) mkdirSync(at(name));
writeFileSync(at("slurm.conf"), CONFIG);
process.env.SLURM_CONF = at("slurm.conf");
const daemons = ["slurmctld", "slurmd"].map((name) =>
  spawn(name, ["-D", "-L", at(`${name}.log`)], { stdio: "ignore", env: process.env }),
);

/** The files of all results, by task. */
const results = (store) =>
  JSON.stringify(
    readdirSync(join(store, "tasks"))
      .map((name) => JSON.parse(readFileSync(join(store, "tasks", name), "utf8")))
      .map(({ key, files }) => [key, files])
      .sort(),
  );

try {
  await pause(3000);
  const list = await smallStudy({ attacks: 8, each: 4, steps: 5 });
  const run = (store, engine) => runStudy({ list, store: at(store), root: process.cwd(), threads: 1, engine });
  const { done, setAside } = await run("array", { name: "slurm", jobs });
  const logs = readdirSync(at("array/slurm")).filter((name) => name.endsWith(".log"));
  const lines = logs.map(
    (name) =>
      readFileSync(join(at("array/slurm"), name), "utf8")
        .split("\n")
        .filter(Boolean).length,
  );
  if (setAside.length > 0) throw new Error(setAside.map(({ reason }) => reason).join("\n"));
  await run("local", { name: "local" });
  const equal = results(at("array")) === results(at("local"));
  console.log(
    JSON.stringify({ jobs: logs.length, tasks: list.tasks.length, done: done.size, linesOfJobs: lines, equal }),
  );
  process.exitCode = equal && done.size === list.tasks.length ? 0 : 1;
} catch (error) {
  for (const name of ["slurmctld.log", "slurmd.log"])
    console.error(readFileSync(at(name), "utf8").split("\n").slice(-15).join("\n"));
  throw error;
} finally {
  for (const daemon of daemons) daemon.kill("SIGTERM");
  await pause(1000);
  if (process.exitCode === 0) rmSync(folder, { recursive: true, force: true });
}
