import { Agent, fetch } from "undici";
import type { Fetch } from "../platform/index.ts";

/** A `fetch` that takes whatever certificate a server shows, for registries that are marked as insecure. */
export function unverifiedFetch(): Fetch {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  // Of that package and not of Node, as each takes agents of its own version only. At run time both are the same.
  const unverified = fetch as unknown as (
    input: string,
    init: RequestInit & { dispatcher: Agent },
  ) => Promise<Response>;
  return (input, init) => unverified(input, { ...init, dispatcher });
}
