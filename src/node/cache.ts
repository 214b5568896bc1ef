/** @file The folder in which dynn keeps what it can make or fetch again. */
import envPaths from "env-paths";

/** `DYNN_CACHE`, or else the platform's folder for caches. */
export const cacheFolder = (): string => process.env.DYNN_CACHE || envPaths("dynn", { suffix: "" }).cache;
