import { err, type Outbound, type OutboundFailure, type Result } from "../platform/index.ts";
import type { SecretDecrypter } from "../secrets/index.ts";
import { StatusError } from "../resources/index.ts";
import type { DataSourceAdapter, Source, SourceAnswer } from "./adapter.ts";
import { addressBelow, isBelow, parseBase } from "./addresses.ts";
import { outboundError } from "./answers.ts";
import { DATA_SOURCE_SERVICE, type DataSourceSpec } from "./kinds.ts";

/** What data sources work with to reach their services. */
export interface ConnectionPorts {
  readonly outbound: Outbound;
  readonly decrypter: SecretDecrypter;
}

/** A request to the service of a data source. */
export interface SourceRequest {
  /** Below the base address, decoded, without a leading slash. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly maxBytes?: number;
}

/** A way to the service of one data source. It adds the credentials, and leads nowhere else. */
export class SourceConnection implements Source {
  readonly config: Readonly<Record<string, unknown>>;
  readonly secrets: ReadonlyMap<string, string>;
  readonly #adapter: DataSourceAdapter;
  readonly #base: URL;
  readonly #outbound: Outbound;
  /** Credentials that answered a challenge. */
  #answered: Readonly<Record<string, string>> | undefined;

  private constructor(
    adapter: DataSourceAdapter,
    base: URL,
    config: Readonly<Record<string, unknown>>,
    secrets: ReadonlyMap<string, string>,
    outbound: Outbound,
  ) {
    this.#adapter = adapter;
    this.#base = base;
    this.config = config;
    this.secrets = secrets;
    this.#outbound = outbound;
  }

  /** @throws {StatusError} BadRequest, or ServiceUnavailable if a secret cannot be read */
  static async open(
    { outbound, decrypter }: ConnectionPorts,
    adapter: DataSourceAdapter,
    namespace: string,
    spec: DataSourceSpec,
  ): Promise<SourceConnection> {
    const base = parseBase(spec.url);
    const config = adapter.config.safeParse(spec);
    if (base === undefined || !config.success) {
      throw new StatusError(
        "BadRequest",
        "the data source is not configured well; apply it again to see what is wrong",
      );
    }
    const secrets = await readSecrets(decrypter, namespace, spec);
    return new SourceConnection(adapter, base, config.data, secrets, outbound);
  }

  async read(path: string, query: Readonly<Record<string, string>> = {}): Promise<SourceAnswer> {
    const search = new URLSearchParams(query).toString();
    const outcome = await this.send({
      path: path.replace(/^\/+/, ""),
      query: search,
      headers: { accept: "application/json" },
    });
    if (!outcome.ok) throw outboundError(outcome.error);
    const { status, headers } = outcome.value;
    return { status, headers, json: await parsed(outcome.value) };
  }

  /** Sends a request with credentials; once more if the service asks for others. */
  async send(request: SourceRequest): Promise<Result<Response, OutboundFailure>> {
    const credentials = this.#answered ?? this.#adapter.credentials(this);
    const first = await this.#once(request, credentials);
    const challenge = first.ok && first.value.status === 401 ? first.value.headers.get("www-authenticate") : null;
    if (!first.ok || challenge === null || this.#adapter.answerChallenge === undefined) return first;
    const answer = await this.#adapter.answerChallenge(this, {
      challenge,
      base: this.#base,
      ask: (url, headers) => this.#ask(url, headers),
    });
    if (answer === undefined) return first;
    await first.value.body?.cancel();
    this.#answered = answer;
    return this.#once(request, answer);
  }

  async #once(
    request: SourceRequest,
    credentials: Readonly<Record<string, string>>,
  ): Promise<Result<Response, OutboundFailure>> {
    const { path, query, method, headers, body, timeout, maxBytes } = request;
    const url = addressBelow(this.#base, path, query);
    if (url === undefined) return err({ reason: "bad-address" });
    return this.#outbound.request({
      url,
      headers: { ...headers, ...credentials },
      credentialHeaders: Object.keys(credentials),
      within: (target) => isBelow(this.#base, target),
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
  }

  async #ask(url: URL, headers: Readonly<Record<string, string>>): Promise<unknown> {
    const outcome = await this.#outbound.request({
      url,
      // The service named it: where it may lead is not for the service to say.
      from: this.#base,
      headers: { accept: "application/json", ...headers },
    });
    if (!outcome.ok) return undefined;
    const answer = await parsed(outcome.value);
    return outcome.value.ok ? answer : undefined;
  }
}

/** The body as JSON; `undefined` if it is none, or too long. */
async function parsed(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

/** The secrets of a data source by their key. The service's failures are told apart: they are the owner's to mend. */
async function readSecrets(
  decrypter: SecretDecrypter,
  namespace: string,
  { secure = {} }: DataSourceSpec,
): Promise<ReadonlyMap<string, string>> {
  const wanted = Object.entries(secure).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value.name] as const],
  );
  if (wanted.length === 0) return new Map();
  const values = await decrypter.decrypt(
    DATA_SOURCE_SERVICE,
    namespace,
    wanted.map(([, name]) => name),
  );
  return new Map(
    wanted.map(([key, name]) => {
      const value = values.get(name);
      if (value?.ok === true) return [key, value.value] as const;
      throw new StatusError(
        "ServiceUnavailable",
        `spec.secure.${key}: the SecureValue ${JSON.stringify(name)} cannot be read: ${value?.error ?? "failed"}`,
      );
    }),
  );
}
