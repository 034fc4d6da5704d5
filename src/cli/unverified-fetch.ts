import { Agent, EnvHttpProxyAgent, fetch } from "undici";
import type { Fetch } from "../platform/index.ts";

type Dispatcher = Agent | EnvHttpProxyAgent;

/**
 * A `fetch` that takes whatever certificate a server shows, for registries that are marked as insecure. It goes by a
 * proxy where Node's own does. @see Node, "NODE_USE_ENV_PROXY"
 */
export function unverifiedFetch(env: Readonly<Record<string, string | undefined>>): Fetch {
  const tls = { rejectUnauthorized: false };
  const dispatcher: Dispatcher =
    env["NODE_USE_ENV_PROXY"] === "1"
      ? new EnvHttpProxyAgent({ connect: tls, requestTls: tls })
      : new Agent({ connect: tls });
  // Of that package and not of Node, as each takes agents of its own version only. At run time both are the same.
  const unverified = fetch as unknown as (
    input: string,
    init: RequestInit & { dispatcher: Dispatcher },
  ) => Promise<Response>;
  return (input, init) => unverified(input, { ...init, dispatcher });
}
