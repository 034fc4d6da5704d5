import { RegistryError } from "../registry.ts";
import { CLIENT_LIMITS } from "./limits.ts";

/** What Node calls a certificate that it does not take. @see Node, "X509 certificate error codes" */
const CERTIFICATE =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)\w*|CERT_\w+|HOSTNAME_MISMATCH|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)$/;

const TRUST = "NODE_EXTRA_CA_CERTS=<file> names certificates to trust";

/** Longest chain of causes that is followed. */
const DEPTH = 4;

/**
 * The error for a request that came to no answer, with the reason that lies deepest: `fetch failed` says nothing. A
 * certificate that is not trusted will not be the next time either.
 */
export function networkFailure(describe: string, cause: unknown): RegistryError {
  const { code, message } = deepest(cause);
  if (CERTIFICATE.test(code)) {
    return new RegistryError("refused", `${describe}: its certificate is not trusted: ${message} (${TRUST})`, {
      cause,
    });
  }
  const reason = reasonOf(code, message);
  const why = reason === "" ? "" : `: ${reason}`;
  return new RegistryError("transient", `${describe}: the registry cannot be reached${why}`, { cause });
}

function reasonOf(code: string, message: string): string {
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return "it does not speak TLS; plain http:// takes insecure: true";
  // All that workerd tells; its log says more.
  if (message.startsWith("internal error")) {
    return `nobody has its name, or TLS failed; if its certificate is not trusted, ${TRUST}`;
  }
  return message;
}

function deepest(cause: unknown): { readonly code: string; readonly message: string } {
  let found = { code: "", message: "" };
  for (let error = cause, depth = 0; error instanceof Error && depth < DEPTH; error = error.cause, depth += 1) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    // What tried several addresses has no message of its own, and advice of Node's own follows a semicolon.
    const message = error.message === "" ? code : (error.message.split(";")[0] ?? "");
    found = { code, message: message.slice(0, CLIENT_LIMITS.errorText) };
  }
  return found;
}
