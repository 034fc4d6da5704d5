import { type Digest, type DigestAlgorithm, digestAlgorithm } from "../oci/index.ts";
import { type Clock, err, type Log, ok, type Result, Semaphore } from "../platform/index.ts";
import type { BlobStore, MultipartWrite } from "./blob-store.ts";
import type { ContentFailure } from "./failure.ts";
import { pumpHashed } from "./hashed-pump.ts";
import { digestStream, Hasher } from "./hasher.ts";
import { newObjectKey } from "./object-key.ts";
import { PartCutter, type PartSink } from "./part-cutter.ts";
import type { PartMemory } from "./part-memory.ts";
import { streamOfPieces } from "./piece-stream.ts";
import { readBytes } from "./read-bytes.ts";
import { type UploadRecord, UploadRecords, type UploadResult } from "./upload-record.ts";

/** How long a request waits for another one to the same session, in milliseconds. */
const TURN_MS = 10_000;

/** Bytes that are read at a time of a body that is cut into parts: many are, at the same time. */
const PIECE_BYTES = 256 * 1024;

type Chunks = AsyncIterator<Uint8Array, void>;

/** What a session works with. */
export interface UploadSessionPorts {
  readonly store: BlobStore;
  /** Present where the store wants equal parts. */
  readonly memory: PartMemory | undefined;
  /** Absent where nobody is counted. */
  readonly accounts?: UploadAccounts;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose an upload is, and how many such an account may have open. */
export interface UploadAccount {
  readonly name: string;
  readonly limit: number;
}

/** Counts the open uploads of accounts. */
export interface UploadAccounts {
  /** Answers whether the account may have another one, which ends at `end` (milliseconds since the Unix epoch) by itself. */
  enter(account: UploadAccount, end: number): Promise<boolean>;
  leave(account: string): Promise<void>;
}

/** Bytes for a session. */
export interface UploadBytes {
  /** `null` when the request has none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** The algorithm named when the session was opened. */
  readonly algorithm: DigestAlgorithm;
  /** When the session ends if it is not closed, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** Where the client says that the bytes belong; checked against what was received. */
  readonly offset: number | undefined;
  /** Absent for bytes of the platform's own. */
  readonly account?: UploadAccount;
}

/**
 * One resumable upload. It lives in a Durable Object, which alone receives the session's bytes: their order is a
 * property of the object. Every byte is written to the store once; the digest is computed on the way, and only if the
 * object was evicted meanwhile is the finished blob read again to verify it.
 *
 * Nothing is stored before the first byte arrives: a session that was opened and not used does not exist here.
 */
export class UploadSessionState {
  readonly #storage: DurableObjectStorage;
  readonly #records: UploadRecords;
  readonly #ports: UploadSessionPorts;
  readonly #turn = new Semaphore(1);
  #hasher: Hasher | undefined;
  /** Whether the account may have this upload, while that is being asked. */
  #entering: Promise<boolean> | undefined;

  constructor(storage: DurableObjectStorage, ports: UploadSessionPorts) {
    this.#storage = storage;
    this.#records = new UploadRecords(storage);
    this.#ports = ports;
  }

  /** Bytes received; `upload-unknown` after the session was closed or cancelled. */
  status(): Result<number, ContentFailure> {
    const record = this.#records.session();
    return record === undefined || record.state === "open" ? ok(record?.size ?? 0) : err({ reason: "upload-unknown" });
  }

  /**
   * Ends a session that received nothing, because its blob is about to be written past it, in one request.
   * Answers whether that may be done.
   */
  async take(expiresAt: number): Promise<boolean> {
    if (this.#records.session() !== undefined) return false;
    await this.#records.begin({ ...UNUSED, state: "closed" }, expiresAt);
    return true;
  }

  /** Adds bytes. When the client goes away, what had arrived is kept. */
  async append(bytes: UploadBytes): Promise<Result<number, ContentFailure>> {
    return this.#inTurn(async () => {
      const record = await this.#open(bytes);
      if (!record.ok) return record;
      return this.#receiveCounted(record.value, bytes);
    });
  }

  /**
   * Adds the last bytes, if any, and finishes the object, whose digest must be `digest`. A client that missed the answer
   * may ask again.
   */
  async close(digest: Digest, bytes: UploadBytes): Promise<Result<UploadResult, ContentFailure>> {
    return this.#inTurn(async () => {
      const earlier = this.#records.session()?.result;
      if (earlier?.digest === digest) return ok(earlier);
      const record = await this.#open(bytes);
      if (!record.ok) return record;
      const received = await this.#receiveCounted(record.value, bytes);
      return received.ok ? this.#finish(digest) : received;
    });
  }

  /** Forgets the session and what it stored. */
  async cancel(expiresAt: number): Promise<Result<void, ContentFailure>> {
    return this.#inTurn(async () => {
      const record = this.#records.session();
      if (record !== undefined && record.state !== "open") return err({ reason: "upload-unknown" });
      await this.#discard(record ?? UNUSED);
      await this.#storage.setAlarm(expiresAt);
      return ok(undefined);
    });
  }

  /** The session's time is over: whatever is unfinished is removed, and the object's storage with it. */
  async expire(): Promise<void> {
    const release = await this.#turn.acquire();
    try {
      const record = this.#records.session();
      if (record?.state === "open") {
        await this.#discard(record);
        this.#ports.log.info("upload.purged", { bytes: record.size });
      }
      await this.#storage.deleteAll();
    } finally {
      release();
    }
  }

  async #open(bytes: UploadBytes): Promise<Result<UploadRecord, ContentFailure>> {
    const record = this.#records.session();
    if (record === undefined) {
      if ((bytes.offset ?? 0) !== 0) return err({ reason: "upload-out-of-order", expected: 0 });
      const { algorithm, account } = bytes;
      const fresh: UploadRecord = { ...UNUSED, algorithm, ...(account === undefined ? {} : { account: account.name }) };
      await this.#records.begin(fresh, bytes.expiresAt);
      if (bytes.account !== undefined) this.#entering = this.#enter(bytes.account, bytes.expiresAt);
      this.#hasher = new Hasher(bytes.algorithm);
      return ok(fresh);
    }
    if (record.state !== "open") return err({ reason: "upload-unknown" });
    if (bytes.offset !== undefined && bytes.offset !== record.size) {
      return err({ reason: "upload-out-of-order", expected: record.size });
    }
    return ok(record);
  }

  /** The account is asked while the bytes come: those of an upload too many are dropped, and the session with them. */
  async #receiveCounted(record: UploadRecord, bytes: UploadBytes): Promise<Result<number, ContentFailure>> {
    const received = await this.#receive(record, bytes);
    const entering = this.#entering;
    this.#entering = undefined;
    if (entering === undefined || (await entering)) return received;
    await this.#discard(this.#records.session() ?? record);
    await this.#storage.deleteAll();
    return err({ reason: "uploads-too-many", limit: bytes.account?.limit ?? 0 });
  }

  /** An account that cannot be asked may. */
  async #enter(account: UploadAccount, end: number): Promise<boolean> {
    const { accounts, log } = this.#ports;
    try {
      return (await accounts?.enter(account, end)) ?? true;
    } catch (error) {
      log.warn("upload.not-counted", { error });
      return true;
    }
  }

  /** Tells the account that the upload is over; nobody waits for that. */
  #leave({ account }: UploadRecord): void {
    const { accounts, log } = this.#ports;
    if (account === undefined || accounts === undefined) return;
    accounts.leave(account).catch((error: unknown) => log.warn("upload.not-counted", { error }));
  }

  async #receive(record: UploadRecord, { body, expiresAt }: UploadBytes): Promise<Result<number, ContentFailure>> {
    if (body === null) return ok(record.size);
    const { memory, clock } = this.#ports;
    const seat = await memory?.admit();
    if (memory !== undefined && seat === undefined) {
      await body.cancel();
      return err({ reason: "uploads-crowded" });
    }
    const totalMs = Math.max(0, expiresAt - clock());
    const receiving =
      memory === undefined
        ? this.#receivePart(record, readBytes(body, { totalMs }))
        : this.#receiveParts(record, memory, readBytes(body, { totalMs, most: PIECE_BYTES }));
    const interrupted = await receiving.finally(() => seat?.release());
    const size = this.#records.session()?.size ?? 0;
    if (interrupted === undefined) return ok(size);
    this.#ports.log.info("upload.interrupted", { received: size });
    return err({ reason: "upload-interrupted", received: size });
  }

  /** For stores that take parts of any length: one request is one part. Returns the error of a body that broke off. */
  async #receivePart(record: UploadRecord, chunks: Chunks): Promise<unknown> {
    const { multipart } = this.#ports.store;
    const write = record.write ?? (await multipart.create(newObjectKey(this.#ports.clock())));
    const number = record.parts + 1;
    const hasher = this.#hasherAt(record);
    const pumped = await pumpHashed(chunks, hasher, (stream) => multipart.writePart(write, number, stream));
    if (pumped.bytes === 0) {
      await multipart.abort(write, [pumped.value]);
      return pumped.interrupted;
    }
    this.#records.savePart(pumped.value);
    this.#records.saveSession({ ...record, write, parts: number, size: record.size + pumped.bytes });
    return pumped.interrupted;
  }

  /** For stores that want equal parts: cuts the body, and keeps the tail. Returns the error of a body that broke off. */
  async #receiveParts(before: UploadRecord, memory: PartMemory, chunks: Chunks): Promise<unknown> {
    const { store, clock } = this.#ports;
    let record = before;
    const save = (changes: Partial<UploadRecord>): void => {
      record = { ...record, ...changes };
      this.#records.saveSession(record);
    };
    const sink: PartSink = {
      store: async (rest) => {
        const write = record.write ?? (await store.multipart.create(newObjectKey(clock())));
        const number = record.parts + 1;
        const part =
          record.tail === 0 ? rest : streamOfPieces(memory.partSize, followedBy(this.#records.tail(record.tail), rest));
        this.#records.savePart(await store.multipart.writePart(write, number, part));
        this.#records.clearTail();
        save({ write, parts: number, tail: 0, size: number * memory.partSize });
      },
      setAside: (bytes) => {
        this.#records.appendTail(record.tail, bytes);
        save({ tail: record.tail + bytes.byteLength, size: record.size + bytes.byteLength });
      },
    };
    const hasher = this.#hasherAt(before);
    const cutter = new PartCutter(memory, sink, clock, before.tail);
    const received = await cutter.receive(chunks, (chunk) => hasher.update(chunk));
    return received.interrupted;
  }

  async #finish(digest: Digest): Promise<Result<UploadResult, ContentFailure>> {
    const record = this.#records.session();
    if (record === undefined) return err({ reason: "upload-unknown" });
    const finished =
      record.write === undefined
        ? await this.#finishSmall(record, digest)
        : await this.#finishParts(record, record.write, digest);
    if (!finished.ok) {
      this.#ports.log.info("upload.refused", { expected: digest, failure: finished.error });
      return finished;
    }
    this.#records.clearTail();
    this.#records.saveSession({ ...record, state: "closed", result: finished.value });
    this.#leave(record);
    return finished;
  }

  /** Everything is in the tail: one write, which the store verifies. */
  async #finishSmall(record: UploadRecord, digest: Digest): Promise<Result<UploadResult, ContentFailure>> {
    const { store, clock } = this.#ports;
    const key = newObjectKey(clock());
    const written = await store.write(key, this.#tail(record), { size: record.size, digest });
    if (written.ok) return ok({ key, digest, size: record.size });
    await this.#discard(record);
    return err(written.error.reason === "digest-mismatch" ? { ...written.error, expected: digest } : written.error);
  }

  async #finishParts(
    record: UploadRecord,
    write: MultipartWrite,
    digest: Digest,
  ): Promise<Result<UploadResult, ContentFailure>> {
    const { store } = this.#ports;
    const algorithm = digestAlgorithm(digest);
    const hasher = this.#hasher;
    const hashed = hasher?.algorithm === algorithm && hasher.length === record.size ? hasher.digest() : undefined;
    if (hashed !== undefined && hashed !== digest) {
      await this.#discard(record);
      return err({ reason: "digest-mismatch", expected: digest, actual: hashed });
    }
    const key = await this.#complete(record, write);
    if (hashed === digest) return ok({ key, digest, size: record.size });
    const stored = await store.read(key);
    const actual = stored === undefined ? undefined : await digestStream(algorithm, stored);
    if (actual === digest) return ok({ key, digest, size: record.size });
    await store.delete([key]);
    await this.#discard(record);
    return err({ reason: "digest-mismatch", expected: digest, actual });
  }

  async #complete(record: UploadRecord, write: MultipartWrite): Promise<string> {
    const { multipart } = this.#ports.store;
    const parts = this.#records.parts();
    try {
      if (record.tail > 0) {
        parts.push(await multipart.writePart(write, record.parts + 1, this.#tail(record)));
      }
      return await multipart.complete(write, parts);
    } catch (error) {
      // An earlier try may have joined the parts and been cut off before it was noted.
      if ((await this.#ports.store.stat(write.key)) === undefined) throw error;
      return write.key;
    }
  }

  /** The tail as a body, of which no more than one piece is in memory at a time. */
  #tail({ tail }: UploadRecord): Uint8Array | ReadableStream<Uint8Array> {
    const pieces = this.#records.tail(tail);
    const first = pieces.next().value ?? new Uint8Array(0);
    return first.byteLength === tail ? first : streamOfPieces(tail, startingWith(first, pieces));
  }

  async #discard(record: UploadRecord): Promise<void> {
    this.#hasher = undefined;
    this.#records.clearTail();
    this.#records.saveSession({ ...record, state: "cancelled" });
    this.#leave(record);
    if (record.write !== undefined) await this.#ports.store.multipart.abort(record.write, this.#records.parts());
  }

  /** The hash of the bytes before `record`; one that cannot be right any more if the object was evicted. */
  #hasherAt(record: UploadRecord): Hasher {
    if (this.#hasher?.length !== record.size) this.#hasher = new Hasher(record.algorithm);
    return this.#hasher;
  }

  async #inTurn<T>(work: () => Promise<Result<T, ContentFailure>>): Promise<Result<T, ContentFailure>> {
    const turn = this.#turn.acquire();
    let timer: number | NodeJS.Timeout | null = null;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), TURN_MS);
    });
    const release = await Promise.race([turn, late]);
    clearTimeout(timer ?? undefined);
    if (release === undefined) {
      void turn.then((free) => free());
      return err({ reason: "upload-busy" });
    }
    try {
      return await work();
    } finally {
      release();
    }
  }
}

function* startingWith(first: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  yield first;
  yield* rest;
}

function* followedBy(pieces: Iterable<Uint8Array>, last: Uint8Array): Generator<Uint8Array, void> {
  yield* pieces;
  yield last;
}

const UNUSED: UploadRecord = { algorithm: "sha256", state: "open", size: 0, tail: 0, parts: 0 };
