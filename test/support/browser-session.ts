import { type Answer, header, json, type Registry, type RequestPart } from "../conformance/registry-client.ts";
import { jsonBody } from "./access-world.ts";

/** What a browser has after a sign-in. */
export interface SignedIn {
  readonly answer: Answer;
  /** `<name>=<value>`, as browsers send it back. */
  readonly cookie: string;
  readonly csrfToken: string;
}

/** Signs in as the page of the server does. @throws if that fails */
export async function signIn(
  registry: Registry,
  username: string,
  password: string,
  ...parts: RequestPart[]
): Promise<SignedIn> {
  const answer = await registry.send("POST", "/auth/login", jsonBody({ username, password }), ...parts);
  if (answer.status !== 200) throw new Error(`${username} is not let in: ${answer.status}`);
  const { csrfToken } = json(answer) as { readonly csrfToken: string };
  return { answer, csrfToken, cookie: cookieOf(answer) };
}

/** The cookie that an answer sets, without what is for the browser alone. */
export function cookieOf({ headers }: Answer): string {
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

/** A request of a page of the server's own. */
export function ownPage({ cookie, csrfToken }: Pick<SignedIn, "cookie" | "csrfToken">): RequestPart {
  return ({ url, headers }) => {
    headers.set("cookie", cookie);
    headers.set("origin", url.origin);
    headers.set("x-csrf-token", csrfToken);
  };
}

/** The cookie alone. */
export function withCookie(cookie: string): RequestPart {
  return header("cookie", cookie);
}
