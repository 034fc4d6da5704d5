import type { z } from "zod";

/** A secret that an adapter can use: the key in `spec.secure`. */
export interface SecureField {
  readonly name: string;
  readonly description: string;
}

/** What a health check found. */
export interface Health {
  readonly status: "OK" | "ERROR";
  /** One sentence. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An answer of the service behind a data source. */
export interface SourceAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; `undefined` if it is none. */
  readonly json: unknown;
}

/** A data source as its adapter sees it: configured, with its secrets read, its service one call away. */
export interface Source<Config = Readonly<Record<string, unknown>>> {
  readonly config: Config;
  readonly secrets: ReadonlyMap<string, string>;
  /**
   * Reads below the base address, with credentials.
   * @throws {StatusError} if there is no answer
   */
  read(path: string, query?: Readonly<Record<string, string>>): Promise<SourceAnswer>;
}

/** What an adapter may do to answer a `401`. */
export interface Challenge {
  /** `WWW-Authenticate`. */
  readonly challenge: string;
  readonly base: URL;
  /** Asks another address, without the data source's credentials. `undefined` if there is no good answer. */
  readonly ask: (url: URL, headers: Readonly<Record<string, string>>) => Promise<unknown>;
}

/** One kind of service: how to configure it, whether it is well, and what there is to read. */
export interface DataSourceAdapter<Config = Readonly<Record<string, unknown>>> {
  /** First label of the group: `<type>.datasource.entrepot.dev`. */
  readonly type: string;
  /** What the kind is, in one sentence. */
  readonly description: string;
  /** Fields of the spec besides `title`, `url` and `secure`. */
  readonly config: z.ZodObject;
  readonly secure: readonly SecureField[];
  /** What `resource` can read, for people. */
  readonly resources: Readonly<Record<string, string>>;
  /** Headers that prove who calls. */
  credentials(source: Pick<Source<Config>, "config" | "secrets">): Readonly<Record<string, string>>;
  /** Headers to try again with after a `401`; `undefined` if there are none. */
  answerChallenge?(
    source: Pick<Source<Config>, "config" | "secrets">,
    challenge: Challenge,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  health(source: Source<Config>): Promise<Health>;
  /**
   * Reads what `path` names; `undefined` if it names nothing.
   * @throws {StatusError}
   */
  resource(source: Source<Config>, path: string, query: URLSearchParams): Promise<unknown>;
}

/** `Basic` credentials. @see RFC 7617 */
export function basic(username: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/** Those of `names` that a query has. */
export function pick(query: URLSearchParams, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = query.get(name);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}
