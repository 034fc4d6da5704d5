import type { Clock } from "../../platform/index.ts";
import { RegistryError } from "../registry.ts";
import { answerError, type ErrorBody } from "./answer-error.ts";
import type { Authorizer } from "./auth/authorizer.ts";
import { discard, type HttpAnswer, type HttpClient, type HttpRequest, isStream, readBytes } from "./http-client.ts";
import { handedAddress, nextPage } from "./link.ts";
import { CLIENT_LIMITS } from "./limits.ts";
import { type WholeList, wholeList } from "./whole-list.ts";

/** A request to the registry itself. */
export interface RegistryCall extends Omit<HttpRequest, "url" | "authorization"> {
  /** Below `/v2/`, with its query; or an address that the registry handed out. */
  readonly to: string | URL;
  /** What a token has to allow. */
  readonly scopes: readonly string[];
  /** Statuses that are answers; all others are thrown as a `RegistryError`. */
  readonly expect: readonly number[];
}

/** Calls a registry with its credential. */
export interface RegistryClient {
  readonly registry: string;
  readonly base: URL;
  readonly clock: Clock;
  call(call: RegistryCall): Promise<HttpAnswer>;
  /** The error for an answer that `expect` let through. */
  error(answer: HttpAnswer, what: string, body?: ErrorBody): Promise<RegistryError>;
  /** The JSON of an answer, of 8 MiB at most. */
  json(answer: HttpAnswer, what: string): Promise<unknown>;
  /**
   * The pages of a list, from `to` on; each is followed by what its `Link` says.
   * @param list what else is known of the list, if it is read in several goes
   * @throws RegistryError "refused" if it does not come to an end
   */
  pages(
    call: RegistryCall & { readonly to: string },
    list?: WholeList,
  ): AsyncGenerator<{ readonly answer: HttpAnswer; readonly linked: boolean }>;
}

/** Adds to requests what proves who asks, and answers a `401` once. */
export function createRegistryClient(
  options: { readonly registry: string; readonly base: URL; readonly clock: Clock },
  http: HttpClient,
  authorizer: Authorizer,
): RegistryClient {
  const { registry, base, clock } = options;

  async function call(request: RegistryCall): Promise<HttpAnswer> {
    const { to, scopes, expect, ...others } = request;
    const url = typeof to === "string" ? new URL(`v2/${to}`, base) : to;
    const ours = url.origin === base.origin;
    const authorization = ours ? await authorizer.authorization(scopes) : undefined;
    const sent = { ...others, url, ...(ours ? {} : { from: base }) };
    let answer = await http.send({ ...sent, authorization });
    if (answer.status === 401 && answer.url.origin === base.origin) {
      const other = await authorizer.challenged(answer.headers, scopes, authorization);
      if (other !== undefined && isStream(request.body)) {
        throw new RegistryError(
          "transient",
          `${registry}: ${request.what}: the token ran out, the bytes have to be sent again`,
          {
            status: 401,
          },
        );
      }
      if (other !== undefined) {
        await discard(answer);
        answer = await http.send({ ...sent, authorization: other });
      }
    }
    if (expect.includes(answer.status)) return answer;
    throw await error(answer, request.what);
  }

  async function error(answer: HttpAnswer, what: string, body?: ErrorBody): Promise<RegistryError> {
    const elsewhere = answer.url.origin === base.origin ? "" : `, answered by ${answer.url.host}`;
    return await answerError(answer, `${registry}: ${what}${elsewhere}`, clock(), body);
  }

  return {
    registry,
    base,
    clock,
    call,
    error,
    async json(answer, what) {
      const bytes = await readBytes(answer, CLIENT_LIMITS.page);
      if (bytes === undefined) throw new RegistryError("refused", `${registry}: ${what}: the answer is too long`);
      try {
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        throw new RegistryError("refused", `${registry}: ${what}: the answer is not JSON`);
      }
    },
    async *pages(request, list = wholeList(`${registry}: ${request.what}`)) {
      let to: string | URL | undefined = request.to;
      list.goOn(new URL(`v2/${request.to}`, base).href);
      while (to !== undefined) {
        const first = to === request.to ? withoutNumber(request.to) : undefined;
        const expect = first === undefined ? request.expect : [...request.expect, 400];
        let answer: HttpAnswer = await call({ ...request, to, expect });
        if (answer.status === 400 && first !== undefined) {
          await discard(answer);
          answer = await call({ ...request, to: first });
        }
        const link = nextPage(answer.headers.get("link"));
        const linked = "unclear" in link || link.next !== undefined;
        yield { answer, linked };
        if ("unclear" in link) throw list.broken(link.unclear);
        to = handedAddress(link.next, answer.url);
        if (to === undefined) {
          if (linked) throw list.broken("the address of its next page cannot be read");
          return;
        }
        if (to.origin !== base.origin) {
          throw new RegistryError("forbidden-address", `${registry}: ${request.what}: the next page is at ${to.host}`);
        }
        list.goOn(to.href);
      }
    },
  };
}

/**
 * The same list without a number of entries per page: some registries refuse one that is more than they give, and the
 * specification lets them say nothing of how much that is. `undefined` if it has none.
 */
function withoutNumber(list: string): string | undefined {
  return /\?n=\d+/.test(list) ? list.replace(/\?n=\d+&?/, "?").replace(/\?$/, "") : undefined;
}
