import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import type { MultipartWrite, Part } from "./blob-store.ts";
import { freeBytes } from "./free-bytes.ts";

/** Largest value that a Durable Object stores under one key, with room to spare, in bytes. @see limit of 2 MB */
const TAIL_PIECE_BYTES = 1024 * 1024;

/** What an upload session remembers, besides its parts and its tail. */
export interface UploadRecord {
  readonly algorithm: DigestAlgorithm;
  readonly state: "open" | "cancelled" | "closed";
  /** Bytes received, tail included. */
  readonly size: number;
  /** Bytes of the tail: received, but in no part yet. */
  readonly tail: number;
  readonly parts: number;
  /** Whose it is, if it is counted. */
  readonly account?: string;
  /** Present once a part was begun. */
  readonly write?: MultipartWrite;
  /** Present when closed: the object made. Absent when the bytes went past the session, in one request. */
  readonly result?: UploadResult;
}

/** A finished upload: an object in the store that no row refers to yet. */
export interface UploadResult {
  readonly key: string;
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The durable state of one upload session, in its Durable Object's storage: `session`, `part:<number>` and
 * `tail:<number>` (docs/schema.md).
 */
export class UploadRecords {
  readonly #storage: DurableObjectStorage;
  readonly #kv: SyncKvStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#kv = storage.kv;
  }

  session(): UploadRecord | undefined {
    return this.#kv.get<UploadRecord>("session");
  }

  saveSession(record: UploadRecord): void {
    this.#kv.put("session", record);
  }

  /**
   * Saves the first record of a session and when the session ends (milliseconds). What follows is not held back until
   * that is on disk: nothing was promised yet, and a session that a crash forgets is one that was not used.
   */
  async begin(record: UploadRecord, expiresAt: number): Promise<void> {
    const unconfirmed = { allowUnconfirmed: true };
    await this.#storage.put("session", record, unconfirmed);
    await this.#storage.setAlarm(expiresAt, unconfirmed);
  }

  savePart(part: Part): void {
    this.#kv.put(partName(part.number), part);
  }

  parts(): Part[] {
    return Array.from(this.#kv.list<Part>({ prefix: "part:" }), ([, part]) => part);
  }

  /** Adds bytes to the tail, whose length was `length`. */
  appendTail(length: number, bytes: Uint8Array): void {
    for (let offset = 0; offset < bytes.byteLength; offset += TAIL_PIECE_BYTES) {
      // Of a view, all the memory behind it would be stored.
      const piece = bytes.slice(offset, offset + TAIL_PIECE_BYTES);
      this.#kv.put(tailName(length + offset), piece);
      freeBytes(piece);
    }
  }

  /** The tail, whose length is `length`, piece by piece: each is read when it is asked for, and valid until the next is. */
  *tail(length: number): Generator<Uint8Array, void> {
    for (let offset = 0; offset < length;) {
      const piece = this.#kv.get<Uint8Array>(tailName(offset));
      if (piece === undefined) throw new Error(`the tail of an upload ends at ${offset} of ${length} bytes`);
      offset += piece.byteLength;
      yield piece;
      freeBytes(piece);
    }
  }

  clearTail(): void {
    const names = Array.from(this.#kv.list<Uint8Array>({ prefix: "tail:" }), ([name, piece]) => {
      freeBytes(piece);
      return name;
    });
    for (const name of names) this.#kv.delete(name);
  }
}

/** Names sort as their numbers do. */
function partName(number: number): string {
  return `part:${String(number).padStart(5, "0")}`;
}

function tailName(offset: number): string {
  return `tail:${String(offset).padStart(8, "0")}`;
}
