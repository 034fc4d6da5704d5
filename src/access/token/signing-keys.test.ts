import { calculateJwkThumbprint } from "jose";
import { describe, expect, it } from "vitest";
import type { KeyWrapper } from "../../platform/index.ts";
import { SIGNING_KEY_TIMES, SigningKeys } from "./signing-keys.ts";
import { memorySigningKeys, NOW } from "./token-world.fixture.ts";

const DAY = 86_400_000;

function isolates() {
  const time = { now: NOW };
  const store = memorySigningKeys();
  const isolate = (wrapper?: KeyWrapper) => new SigningKeys({ store, wrapper, clock: () => time.now });
  return { time, store, isolate };
}

/** Encrypts so that a test can see that it did, under a key of that name. */
function wrapperOf(masterKey: string): KeyWrapper {
  const mask = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 255);
  return {
    wrap: async (key, place) => ({ masterKey, wrapped: `${place} ${mask(key).toBase64()}` }),
    async unwrap({ masterKey: under, wrapped }, place) {
      const [where, text = ""] = wrapped.split(" ");
      return under === masterKey && where === place ? mask(Uint8Array.fromBase64(text)) : undefined;
    },
  };
}

describe("signing keys", () => {
  it("are made once, also when several isolates start together", async () => {
    const { store, isolate } = isolates();
    const signers = await Promise.all(Array.from({ length: 6 }, () => isolate().signer()));
    expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1);
    expect(store.keys).toHaveLength(1);
  });

  it("are named by their thumbprint, and published without their private part", async () => {
    const { isolate } = isolates();
    const keys = isolate();
    const { kid } = await keys.signer();
    const { keys: published } = await keys.publicKeys();
    expect(published).toEqual([
      { kty: "EC", crv: "P-256", x: expect.any(String), y: expect.any(String), kid, alg: "ES256", use: "sig" },
    ]);
    expect(await calculateJwkThumbprint(published[0] ?? {})).toBe(kid);
  });

  it("sign for 30 days; the next is made once, and the old one verifies as long as its tokens live", async () => {
    const { time, store, isolate } = isolates();
    const [a, b] = [isolate(), isolate()];
    const first = await a.signer();
    await b.signer();
    time.now += 30 * DAY - 1;
    expect((await a.signer()).kid).toBe(first.kid);
    time.now += 1;
    const [second, same] = await Promise.all([a.signer(), b.signer()]);
    expect(second.kid).not.toBe(first.kid);
    expect(same.kid).toBe(second.kid);
    expect(store.keys).toHaveLength(2);
    time.now += 3_600_000 + 60_000;
    expect(await b.verifier(first.kid)).toBeDefined();
    expect((await a.publicKeys()).keys).toHaveLength(2);
    time.now = NOW + 30 * DAY + SIGNING_KEY_TIMES.verifiesAfter;
    expect(await b.verifier(first.kid)).toBeUndefined();
    expect((await a.publicKeys()).keys.map(({ kid }) => kid)).toEqual([second.kid]);
  });

  it("made elsewhere are found", async () => {
    const { time, isolate } = isolates();
    const [a, b] = [isolate(), isolate()];
    const { kid } = await a.signer();
    expect(await b.verifier(kid)).toBeDefined();
    time.now += 31 * DAY;
    const next = await a.signer();
    expect(await b.verifier(next.kid)).toBeDefined();
  });

  it("with an unknown name make the store be read once per 5 seconds at most", async () => {
    const { time, store, isolate } = isolates();
    const keys = isolate();
    await keys.signer();
    const before = store.reads;
    for (let index = 0; index < 50; index += 1) await keys.verifier("x".repeat(42) + (index % 10));
    expect(store.reads).toBe(before);
    time.now += SIGNING_KEY_TIMES.reread;
    for (let index = 0; index < 50; index += 1) await keys.verifier("x".repeat(42) + (index % 10));
    expect(store.reads).toBe(before + 1);
  });

  it.each(["", "../../etc/passwd", "' OR 1=1 --", "x".repeat(5000)])(
    "of the name %j are not looked for",
    async (kid) => {
      const { store, isolate } = isolates();
      expect(await isolate().verifier(kid)).toBeUndefined();
      expect(store.reads).toBe(0);
    },
  );

  it("are encrypted where there is something to encrypt them with", async () => {
    const { store, isolate } = isolates();
    const { kid } = await isolate(wrapperOf("m")).signer();
    expect(JSON.parse(store.keys[0]?.privateJwk ?? "")).toEqual({ masterKey: "m", wrapped: expect.any(String) });
    expect(store.keys[0]?.privateJwk).not.toContain('"d"');
    expect((await isolate(wrapperOf("m")).signer()).kid).toBe(kid);
  });

  it.each([
    ["lay open in the database", undefined, wrapperOf("m")],
    ["do not open", wrapperOf("lost"), wrapperOf("m")],
    ["do not open, without anything to open them", wrapperOf("lost"), undefined],
  ])("that %s sign no more, and verify for as long as their tokens live", async (_what, before, after) => {
    const { time, store, isolate } = isolates();
    const old = isolate(before);
    const first = await old.signer();
    const signers = await Promise.all([isolate(after), isolate(after)].map((each) => each.signer()));
    expect(new Set(signers.map(({ kid }) => kid))).toEqual(new Set([signers[0]?.kid]));
    expect(signers[0]?.kid).not.toBe(first.kid);
    expect(store.keys).toHaveLength(2);
    const verifying = isolate(after);
    time.now += SIGNING_KEY_TIMES.verifiesAfter - 1;
    expect(await verifying.verifier(first.kid)).toBeDefined();
    time.now += 1;
    for (const each of [verifying, isolate(after)]) expect(await each.verifier(first.kid)).toBeUndefined();
    expect(await verifying.verifier(signers[0]?.kid ?? "")).toBeDefined();
  });

  it("of another row do not open", async () => {
    const { store, isolate } = isolates();
    const { kid } = await isolate(wrapperOf("m")).signer();
    const [row] = store.keys;
    if (row === undefined) throw new Error("there is no key");
    store.keys = [{ ...row, kid: "x".repeat(43) }];
    expect((await isolate(wrapperOf("m")).signer()).kid).not.toBe(kid);
    expect(store.keys).toHaveLength(2);
  });
});
