import { expect, it } from "vitest";
import { request } from "../bindings.ts";

// kr8s and other clients put a slash after every path, which API servers take.
it.each(["/version", "/api", "/apis", "/api/v1", "/openapi/v2", "/openapi/v3", "/healthz", "/livez", "/readyz"])(
  "%s is also there with a slash after it",
  async (path) => {
    const [without, withSlash] = await Promise.all([request(path), request(`${path}/`)]);
    expect([without.status, withSlash.status]).toEqual([200, 200]);
    expect(await withSlash.text()).toBe(await without.text());
  },
);
