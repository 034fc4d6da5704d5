import { describe, expect, it } from "vitest";
import { type CredentialUse, systemIdentity } from "../../access/index.ts";
import { signed, specAuthorOf, writerOf } from "./authorship.ts";
import type { ResourceObject } from "./object.ts";

const metadata = {
  name: "x",
  uid: "u",
  resourceVersion: "1",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
};
const object: ResourceObject = { apiVersion: "v1", kind: "X", metadata };

describe("the writer of a spec", () => {
  const writer = (credential: CredentialUse, issuer?: string) => {
    const identity = { ...systemIdentity("alice"), credential, ...(issuer !== undefined && { issuer }) };
    const author = specAuthorOf(signed(object, { previous: undefined, identity, time: "2026-01-01T00:00:00Z" }));
    return author === undefined ? undefined : writerOf(author);
  };

  it.each<[CredentialUse, string | undefined, boolean]>([
    [{ type: "password" }, undefined, false],
    [{ type: "api-key", id: "0198", name: "laptop" }, undefined, false],
    [{ type: "session", id: "s1" }, "corp", true],
    [{ type: "access-assertion" }, "cloudflare-access", true],
    [{ type: "api-key", id: "0198", name: "laptop" }, "corp", true],
    // A name that looks like it costs its owner, and gives nobody anything.
    [{ type: "api-key", id: "0198", name: "x) via corp" }, undefined, true],
  ])("with the credential %j of the issuer %s", (credential, issuer, isNamedElsewhere) => {
    expect(writer(credential, issuer)).toEqual({ name: "alice", credential: credential.type, isNamedElsewhere });
  });
});
