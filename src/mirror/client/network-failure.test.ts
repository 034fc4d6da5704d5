import { expect, it } from "vitest";
import { networkFailure } from "./network-failure.ts";

const fetchFailed = (code: string, message: string) =>
  new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) });

it.each([
  [fetchFailed("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1"), "connect ECONNREFUSED 127.0.0.1:1"],
  [
    new TypeError("fetch failed", { cause: Object.assign(new AggregateError([], ""), { code: "ETIMEDOUT" }) }),
    "ETIMEDOUT",
  ],
  [
    fetchFailed("ERR_SSL_WRONG_VERSION_NUMBER", "401D:error:0A00010B:SSL routines"),
    "it does not speak TLS; plain http:// takes insecure: true",
  ],
  [new TypeError("Network connection lost."), "Network connection lost."],
  [
    new Error("internal error; reference = abc"),
    "nobody has its name, or TLS failed; if its certificate is not trusted, NODE_EXTRA_CA_CERTS=<file> names certificates to trust",
  ],
])("says why a registry cannot be reached, which may pass", (cause, reason) => {
  expect(networkFailure("hub: GET /v2/", cause)).toMatchObject({
    failure: "transient",
    message: `hub: GET /v2/: the registry cannot be reached: ${reason}`,
  });
});

it.each([
  fetchFailed("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
  fetchFailed("CERT_HAS_EXPIRED", "certificate has expired"),
  fetchFailed("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "unable to get local issuer certificate"),
  fetchFailed("ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match certificate's altnames"),
])("says what helps with a certificate, and does not try again: %s", (cause) => {
  const { failure, message } = networkFailure("hub: GET /v2/", cause);
  expect(failure).toBe("refused");
  expect(message).toMatch(/its certificate is not trusted: .+NODE_EXTRA_CA_CERTS/);
});

it("says nothing of what is no error", () => {
  expect(networkFailure("hub: GET /v2/", undefined).message).toBe("hub: GET /v2/: the registry cannot be reached");
});
