import { describe, expect, it } from "vitest";
import { isPrivateAddress } from "./private-address.ts";

describe("is private", () => {
  it.each([
    "localhost",
    "LOCALHOST.",
    "db.localhost",
    "registry",
    "printer.local",
    "vault.internal",
    "metadata.google.internal.",
    "router.lan",
    "nas.home.arpa",
    "127.0.0.1",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "127.0.0.1.",
    "１２７.0.0.1",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:10.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[3fff::1]",
  ])("%s", (host) => {
    expect(isPrivateAddress(new URL(`http://${host}/`))).toBe(true);
  });
});

describe("is public", () => {
  it.each([
    "example.com",
    "registry-1.docker.io",
    "localhost.example.com",
    "internal.example.com",
    "mylocal.dev",
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "[2606:4700:4700::1111]",
    "[2a00:1450:4001:81b::200e]",
    "[::ffff:1.1.1.1]",
    "[64:ff9b::101:101]",
  ])("%s", (host) => {
    expect(isPrivateAddress(new URL(`https://${host}/`))).toBe(false);
  });
});
