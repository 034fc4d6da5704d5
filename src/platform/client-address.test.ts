import { describe, expect, it } from "vitest";
import { clientAddress, parseAddress } from "./client-address.ts";

describe("parseAddress", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    [" 192.0.2.1 ", "192.0.2.1"],
    ["192.0.2.1:4711", "192.0.2.1"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["::1", "::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
  ])("%s is %s", (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });

  it.each([
    "",
    " ",
    "unknown",
    "_hidden",
    "localhost",
    "256.0.0.1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "0x7f.0.0.1",
    "2130706433",
    "1.2.3.4:port",
    "2001:db8::1::2",
    "fe80::1%eth0",
    "[::1",
    "::1]",
    "[192.0.2.1]",
    "::1]@evil/[::2",
    "1.2.3.4<script>",
  ])("%j is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("clientAddress", () => {
  const request = (headers: Record<string, string>) => new Request("http://registry/", { headers });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["6.6.6.6, 203.0.113.9", "203.0.113.9"],
    ["203.0.113.9, unknown", undefined],
    ["203.0.113.9,", undefined],
  ])("of %j is %s", (value, address) => {
    expect(clientAddress("X-Forwarded-For")(request({ "x-forwarded-for": value }))).toBe(address);
  });

  it("looks at the one header only, and without one at none", () => {
    const sent = request({ "x-forwarded-for": "1.1.1.1", "cf-connecting-ip": "2.2.2.2", forwarded: "for=3.3.3.3" });
    expect(clientAddress("cf-connecting-ip")(sent)).toBe("2.2.2.2");
    expect(clientAddress("x-real-ip")(sent)).toBeUndefined();
    expect(clientAddress(undefined)(sent)).toBeUndefined();
  });
});
