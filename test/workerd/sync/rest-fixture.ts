import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hashSync } from "bcryptjs";
import { serve } from "../../../src/app.ts";
import type { Env } from "../../../src/platform/index.ts";
import { servicesOf } from "../../../src/services.ts";
import { bindings } from "../bindings.ts";
import { masterKey } from "../secret-fixture.ts";

const PASSWORD = "correct horse battery staple";

/** Runs begin, and nobody does their work. */
const idle = { send: async () => {}, sendBatch: async () => {} } as unknown as Queue;

/** A deployment with an administrator and with someone who may do nothing. */
export const env: Env & Record<string, unknown> = {
  ...bindings,
  SYNC: idle,
  ACCESS: "closed",
  ADMIN_PASSWORD: PASSWORD,
  HTPASSWD: `powerless:${hashSync(PASSWORD, 4)}`,
  HTPASSWD_ROLE: "none",
  AUTH_CHALLENGE: "basic",
  SECRETS_KEY: masterKey("k1"),
  OUTBOUND_PRIVATE: "allow",
};

export const ADMIN = { authorization: `Basic ${btoa(`admin:${PASSWORD}`)}` };
export const POWERLESS = { authorization: `Basic ${btoa(`powerless:${PASSWORD}`)}` };

/** JSON that each test knows the shape of, and says what it expects of it. */
export type Loose = ReturnType<typeof JSON.parse>;

/** What an endpoint answered. `text` is the body as it came, to look for what must not be in it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Loose;
}

/** Asks an endpoint below `/api/v1` as the administrator, unless told otherwise. */
export async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = ADMIN,
): Promise<Answer> {
  const context = createExecutionContext();
  const isText = typeof body === "string";
  const request = new Request(`https://registry/api/v1${path}`, {
    method,
    headers: { "content-type": isText ? "application/yaml" : "application/json", ...headers },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const response = await serve(request, env, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

export const services = () => servicesOf(env);

let counter = 0;

/** A name that no other test of the file uses. */
export function unique(base: string): string {
  counter += 1;
  return `${base}-${counter}`;
}
