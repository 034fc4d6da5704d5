import { DurableObject } from "cloudflare:workers";
import * as z from "zod";
import { dropRest } from "../http/index.ts";
import type { Digest, DigestAlgorithm } from "../oci/index.ts";
import { type Clock, isObjectReset, type Result, type Retries, Unavailable } from "../platform/index.ts";
import type { ContentFailure } from "./failure.ts";
import { OpenUploads } from "./open-uploads.ts";
import type { UploadResult } from "./upload-record.ts";
import { type UploadAccount, type UploadBytes, type UploadSessionPorts, UploadSessionState } from "./upload-session.ts";

/** Carries what belongs to the bytes of a request between the Worker and the object. */
const REQUEST_HEADER = "x-upload-request";

const requestSchema = z.object({
  algorithm: z.enum(["sha256", "sha512"]),
  expiresAt: z.number(),
  offset: z.number().optional(),
  account: z.object({ name: z.string(), limit: z.number() }).optional(),
  /** Present on the last request. */
  digest: z.string().optional(),
});

/** What the class below is made with. */
export interface UploadObjectPorts extends Omit<UploadSessionPorts, "accounts"> {
  /** Where the objects of the class are. */
  readonly namespace: DurableObjectNamespace;
}

/**
 * The Durable Object class of upload sessions. Bytes come by `fetch`, whose bodies the runtime passes on without
 * copying; everything else is a remote call. What an account has open is counted by an object of the same class: another
 * class would be a migration behind which no deployment can go back.
 */
export function uploadSessionClass<Env>(bind: (env: Env) => UploadObjectPorts) {
  return class UploadSession extends DurableObject<Env> {
    readonly #session: UploadSessionState;
    readonly #open: OpenUploads;
    readonly #clock: Clock;

    constructor(context: DurableObjectState, env: Env) {
      super(context, env);
      const { namespace, ...ports } = bind(env);
      const id = context.id.toString();
      this.#clock = ports.clock;
      this.#open = new OpenUploads(context.storage);
      const accounts = {
        enter: (account: UploadAccount, end: number) =>
          accountStub(namespace, account.name).enter(id, end, account.limit),
        leave: (account: string) => accountStub(namespace, account).leave(id),
      };
      this.#session = new UploadSessionState(context.storage, { ...ports, accounts });
    }

    override async fetch(request: Request): Promise<Response> {
      const { digest, algorithm, expiresAt, offset, account } = requestSchema.parse(
        JSON.parse(request.headers.get(REQUEST_HEADER) ?? "{}"),
      );
      const bytes: UploadBytes = {
        body: request.body,
        algorithm,
        expiresAt,
        offset,
        ...(account === undefined ? {} : { account }),
      };
      const result = await (digest === undefined
        ? this.#session.append(bytes)
        : this.#session.close(digest as Digest, bytes));
      // The Worker gave the body away, so what is left of it is for the object to drop.
      await dropRest(request.body);
      return Response.json(result);
    }

    status(): Result<number, ContentFailure> {
      return this.#session.status();
    }

    take(expiresAt: number): Promise<boolean> {
      return this.#session.take(expiresAt);
    }

    cancel(expiresAt: number): Promise<Result<void, ContentFailure>> {
      return this.#session.cancel(expiresAt);
    }

    enter(id: string, end: number, limit: number): Promise<boolean> {
      return this.#open.enter(id, end, limit, this.#clock());
    }

    async leave(id: string): Promise<void> {
      this.#open.leave(id);
    }

    override alarm(): Promise<void> {
      return this.#open.used ? this.#open.expire(this.#clock()) : this.#session.expire();
    }
  };
}

/** The Worker's side of one upload session. */
export interface UploadSessionClient {
  status(): Promise<Result<number, ContentFailure>>;
  take(): Promise<boolean>;
  cancel(): Promise<Result<void, ContentFailure>>;
  append(body: ReadableStream<Uint8Array> | null, offset: number | undefined): Promise<Result<number, ContentFailure>>;
  close(
    body: ReadableStream<Uint8Array> | null,
    offset: number | undefined,
    digest: Digest,
  ): Promise<Result<UploadResult, ContentFailure>>;
}

/** What the client calls; the class above has more members, which are not for remote use. */
interface UploadSessionStub extends Pick<Fetcher, "fetch"> {
  status(): Promise<Result<number, ContentFailure>>;
  take(expiresAt: number): Promise<boolean>;
  cancel(expiresAt: number): Promise<Result<void, ContentFailure>>;
}

/** The object that counts the uploads of an account. No repository's name has a colon, so it is no session's. */
function accountStub(namespace: DurableObjectNamespace, account: string): AccountStub {
  return namespace.get(namespace.idFromName(`account:${account}`)) as unknown as AccountStub;
}

interface AccountStub {
  enter(id: string, end: number, limit: number): Promise<boolean>;
  leave(id: string): Promise<void>;
}

/** The session called `name`, opened for `algorithm`, which ends at `expiresAt` (milliseconds). */
export function uploadSessionClient(
  namespace: DurableObjectNamespace,
  name: string,
  algorithm: DigestAlgorithm,
  expiresAt: number,
  retries: Retries,
  account?: UploadAccount,
): UploadSessionClient {
  const stub = (): UploadSessionStub => namespace.get(namespace.idFromName(name)) as unknown as UploadSessionStub;
  /** What may be asked twice, of an object that was reset: a new stub for each try. */
  const ask = async <T>(act: (stub: UploadSessionStub) => Promise<T>): Promise<T> => {
    try {
      return await retries.run(() => act(stub()), isObjectReset);
    } catch (error) {
      throw isObjectReset(error) ? new Unavailable("the upload session", error) : error;
    }
  };
  const send = async <T>(
    body: ReadableStream<Uint8Array> | null,
    offset: number | undefined,
    digest?: Digest,
  ): Promise<Result<T, ContentFailure>> => {
    const parameters: z.input<typeof requestSchema> = { algorithm, expiresAt, offset, digest, account };
    const init = { method: "POST", headers: { [REQUEST_HEADER]: JSON.stringify(parameters) }, body };
    const call = async (session: UploadSessionStub): Promise<Result<T, ContentFailure>> =>
      (await session.fetch("http://upload-session/", init)).json<Result<T, ContentFailure>>();
    // Bytes are there once. Without them it is the end of a session, which remembers what came of it.
    return body === null ? ask(call) : call(stub());
  };
  return {
    status: () => ask((session) => session.status()),
    take: () => stub().take(expiresAt),
    cancel: () => stub().cancel(expiresAt),
    append: (body, offset) => send<number>(body, offset),
    close: (body, offset, digest) => send<UploadResult>(body, offset, digest),
  };
}
