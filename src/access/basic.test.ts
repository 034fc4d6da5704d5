import { describe, expect, it } from "vitest";
import { parseBasic } from "./basic.ts";

const header = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

describe("parseBasic", () => {
  it.each([
    ["admin:secret", "admin", "secret"],
    ["admin:", "admin", ""],
    [":secret", "", "secret"],
    [":", "", ""],
    ["admin:a:b:c", "admin", "a:b:c"],
    ["jürgen:pässwörd", "jürgen", "pässwörd"],
    ["admin: spaces ", "admin", " spaces "],
  ])("%j", (text, username, password) => {
    expect(parseBasic(header(text))).toEqual({ username, password });
  });

  it("takes the scheme in any case, and room around the credential", () => {
    const [, token = ""] = header("admin:secret").split(" ");
    for (const text of [`basic ${token}`, `BASIC ${token}`, `Basic   ${token} `]) {
      expect(parseBasic(text)).toEqual({ username: "admin", password: "secret" });
    }
  });

  it.each([
    null,
    "",
    "Basic",
    "Basic ",
    "Bearer YTpi",
    "Basic !!!",
    header("no colon"),
    `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString("base64")}`,
  ])("%j is no credential", (text) => {
    expect(parseBasic(text)).toBeUndefined();
  });
});
