import type { Digest, DigestAlgorithm, RepositoryName } from "../oci/index.ts";
import { type Clock, err, ok, type Result, type Retries } from "../platform/index.ts";
import type { BlobIndex } from "./blob-index.ts";
import type { BlobStore } from "./blob-store.ts";
import type { ContentFailure } from "./failure.ts";
import { newObjectKey } from "./object-key.ts";
import { type UploadSessionClient, uploadSessionClient } from "./upload-session-object.ts";
import type { UploadAccount } from "./upload-session.ts";
import type { UploadTickets } from "./upload-ticket.ts";

/** An upload as a client names it. */
export interface UploadAddress {
  /** Absent for the platform's own, which are not counted. */
  readonly account?: UploadAccount;
  readonly repository: RepositoryName;
  readonly id: string;
  /** Proof from the upload's opening. */
  readonly state: string;
}

/** The body of a request. */
export interface UploadBody {
  readonly stream: ReadableStream<Uint8Array> | null;
  /** Bytes; absent under chunked transfer coding. */
  readonly length: number | undefined;
  /** Where the client says that the bytes begin. */
  readonly offset?: number | undefined;
}

/** What pushing needs. */
export interface UploadPorts {
  readonly store: BlobStore;
  readonly index: BlobIndex;
  readonly sessions: DurableObjectNamespace;
  readonly retries: Retries;
  readonly tickets: UploadTickets;
  readonly clock: Clock;
  /** How long a session may take, in milliseconds. */
  readonly lifetime: number;
}

/** Pushing blobs: in one request, or in a session of several. */
export class Uploads {
  readonly #ports: UploadPorts;

  constructor(ports: UploadPorts) {
    this.#ports = ports;
  }

  /** Opens a session. Nothing is stored until bytes arrive. */
  async open(repository: RepositoryName, algorithm: DigestAlgorithm): Promise<UploadAddress> {
    const { ticket, state } = await this.#ports.tickets.open(repository, algorithm, this.#ports.clock());
    return { repository, id: ticket.id, state };
  }

  /** Bytes received so far. */
  async status(address: UploadAddress): Promise<Result<number, ContentFailure>> {
    const session = await this.#session(address);
    return session.ok ? session.value.status() : session;
  }

  /** Adds bytes; resolves to how many there are now. */
  async append(address: UploadAddress, body: UploadBody): Promise<Result<number, ContentFailure>> {
    const session = await this.#session(address);
    return session.ok ? session.value.append(body.stream, body.offset) : session;
  }

  /** Adds the last bytes, if any, verifies the digest of all of them and links the blob to the repository. */
  async close(address: UploadAddress, digest: Digest, body: UploadBody): Promise<Result<void, ContentFailure>> {
    const session = await this.#session(address);
    if (!session.ok) return session;
    // Without bytes, the request closes a session that has them all: that need not be asked first.
    const { length, offset = 0 } = body;
    if (length !== undefined && length > 0 && offset === 0 && (await session.value.take())) {
      return this.push(address.repository, digest, body.stream, length);
    }
    const closed = await session.value.close(body.stream, body.offset, digest);
    if (!closed.ok) return closed;
    await this.#ports.index.add(address.repository, closed.value);
    return ok(undefined);
  }

  /** Pushes a blob of known length in one go: the store verifies the bytes as they stream through. */
  async push(
    repository: RepositoryName,
    digest: Digest,
    stream: ReadableStream<Uint8Array> | null,
    size: number,
  ): Promise<Result<void, ContentFailure>> {
    const { store, index, clock } = this.#ports;
    const key = newObjectKey(clock());
    const written = await store.write(key, size === 0 || stream === null ? new Uint8Array(0) : stream, {
      size,
      digest,
    });
    if (!written.ok)
      return err(written.error.reason === "digest-mismatch" ? { ...written.error, expected: digest } : written.error);
    await index.add(repository, { key, digest, size });
    return ok(undefined);
  }

  /** Drops a session and its bytes. */
  async cancel(address: UploadAddress): Promise<Result<void, ContentFailure>> {
    const session = await this.#session(address);
    return session.ok ? session.value.cancel() : session;
  }

  async #session(address: UploadAddress): Promise<Result<UploadSessionClient, ContentFailure>> {
    const { tickets, sessions, clock, lifetime, retries } = this.#ports;
    const ticket = await tickets.check(address.repository, address.id, address.state);
    const expiresAt = (ticket?.openedAt ?? 0) + lifetime;
    if (ticket === undefined || expiresAt <= clock()) return err({ reason: "upload-unknown" });
    return ok(
      uploadSessionClient(
        sessions,
        `${address.repository}@${address.id}`,
        ticket.algorithm,
        expiresAt,
        retries,
        address.account,
      ),
    );
  }
}
