/** @file SHA-256 of bytes, the same in Node.js and in browsers. */
import { sha256 as hash } from "@noble/hashes/sha2";
import { bytesToHex } from "@noble/hashes/utils";

/** SHA-256 in hexadecimal, 64 characters. */
export const sha256 = (bytes: Uint8Array): string => bytesToHex(hash(bytes));
