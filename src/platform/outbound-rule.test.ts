import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { addressRefusal } from "./outbound-rule.ts";

describe("the one rule of what may be called", () => {
  it.each([
    // Configured: whether private addresses may be called is a setting.
    ["https://registry.example", undefined, false, undefined],
    ["https://10.0.0.1", undefined, false, "private-address"],
    ["https://10.0.0.1", undefined, true, undefined],
    ["file:///etc/passwd", undefined, true, "bad-address"],
    ["https://user:secret@registry.example", undefined, true, "bad-address"],
    // Named by a service: one on the public Internet leads nobody away from there.
    ["https://auth.example", "https://registry.example", false, undefined],
    ["http://169.254.169.254", "https://registry.example", true, "led-to-private"],
    ["http://localhost:5000", "https://registry.example", true, "led-to-private"],
    ["http://10.0.0.2", "http://10.0.0.1", true, undefined],
    ["http://10.0.0.2", "http://10.0.0.1", false, "private-address"],
    ["https://auth.example", "http://10.0.0.1", true, undefined],
  ] as const)("%s, named by %s, private allowed: %s", (to, from, allowPrivate, refusal) => {
    expect(addressRefusal(new URL(to), allowPrivate, from === undefined ? undefined : new URL(from))).toBe(refusal);
  });
});

/** Where the network's own `fetch` is named, and by whose rule what is called there is called. */
const CALLERS: Readonly<Record<string, string>> = {
  "services.ts": "makes the Outbound and the mirror's client; storage, which whoever runs the server set up",
  "cli/registry-fetch.ts": "made of undici's requests, for the mirror's client",
  "mirror/client/http-client.ts": "a port of that name; the rule, by address-rules.ts",
};

it("is asked by everyone who calls: nobody else has the network", () => {
  const root = path.resolve(import.meta.dirname, "..");
  // The `fetch` of a binding, such as an object's, calls no address.
  const named = /(?<![.\w#]|async )fetch\((?!\) \{)|from "undici"/;
  const callers = globSync("**/*.ts", { cwd: root })
    .filter((file) => !/\.(?:test|fixture)\.ts$|test-issuer\.ts$/.test(file))
    .filter((file) => named.test(readFileSync(path.join(root, file), "utf8").replaceAll(/\/\/.*$/gm, "")));
  expect(callers.map((file) => file.replaceAll("\\", "/")).toSorted()).toEqual(Object.keys(CALLERS).toSorted());
});
