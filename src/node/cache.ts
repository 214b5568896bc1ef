/** @file The folder in which dynn keeps what it can make or fetch again. */
import { join } from "node:path";
import envPaths from "env-paths";

/** `DYNN_CACHE`, or else the platform's folder for caches. */
export const cacheFolder = (): string => process.env.DYNN_CACHE || envPaths("dynn", { suffix: "" }).cache;

/** The folder of networks in the cache. */
export const cachedZoo = (): string => join(cacheFolder(), "zoo");
