import { expect, it } from "vitest";
import { challengeText } from "./challenge.ts";

const TOKEN = { kind: "token", service: "entrepot" } as const;
const URL = "http://reg.example:5000/v2/";

it.each([
  [TOKEN, {}, 'Bearer realm="http://reg.example:5000/auth/token",service="entrepot"'],
  [
    TOKEN,
    { scope: "repository:team-a/app:pull", error: "insufficient_scope" },
    'Bearer realm="http://reg.example:5000/auth/token",service="entrepot",scope="repository:team-a/app:pull",error="insufficient_scope"',
  ],
  [{ ...TOKEN, publicScheme: "https" }, {}, 'Bearer realm="https://reg.example:5000/auth/token",service="entrepot"'],
  [
    { ...TOKEN, realm: "https://auth.example/token", service: 'a"b\\c\r\nd' },
    {},
    String.raw`Bearer realm="https://auth.example/token",service="a\"b\\cd"`,
  ],
  [{ ...TOKEN, kind: "basic" }, { scope: "repository:app:pull" }, 'Basic realm="Entrepot"'],
] as const)("%j %j", (settings, details, expected) => {
  const text = challengeText(settings, URL, details);
  expect(text).toBe(expected);
  expect(() => new Headers({ "www-authenticate": text })).not.toThrow();
});
