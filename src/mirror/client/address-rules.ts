import { addressRefusal } from "../../platform/index.ts";
import { RegistryError } from "../registry.ts";

/** Which addresses a registry may make us call. */
export interface AddressRules {
  /** Throws `forbidden-address` unless `to` may be called; `from` is who named it, if it was not the configuration. */
  check(to: URL, from?: URL): void;
}

/**
 * The one rule of what may be called (`addressRefusal`), and besides: `http:` only where the configuration says so, and
 * never after `https:`.
 */
export function addressRules(registry: string, insecure: boolean, allowPrivate: boolean): AddressRules {
  const refuse = (to: URL, why: string): never => {
    throw new RegistryError("forbidden-address", `${registry}: ${to.host} is not called: ${why}`);
  };
  return {
    check(to, from) {
      const refusal = addressRefusal(to, allowPrivate, from);
      if (refusal === "bad-address") refuse(to, "it is no http or https address, or carries credentials");
      if (to.protocol === "http:" && (!insecure || from?.protocol === "https:")) refuse(to, "it is plain http");
      if (refusal === "private-address") refuse(to, "it is a private address");
      if (refusal === "led-to-private") refuse(to, `${from?.host} is public and led to a private address`);
    },
  };
}
