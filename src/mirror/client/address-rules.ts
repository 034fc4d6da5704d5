import { isPrivateAddress } from "../../platform/index.ts";
import { RegistryError } from "../registry.ts";

/** Which addresses a registry may make us call. */
export interface AddressRules {
  /** Throws `forbidden-address` unless `to` may be called; `from` is who named it, if it was not the configuration. */
  check(to: URL, from?: URL): void;
}

/**
 * `http:` only where the configuration says so, and never after `https:`. A private address only where private ones
 * are allowed, and never because a public one named it. @see OUTBOUND_PRIVATE
 */
export function addressRules(registry: string, insecure: boolean, allowPrivate: boolean): AddressRules {
  const refuse = (to: URL, why: string): never => {
    throw new RegistryError("forbidden-address", `${registry}: ${to.host} is not called: ${why}`);
  };
  return {
    check(to, from) {
      if (to.protocol !== "https:" && to.protocol !== "http:") refuse(to, `its scheme is ${to.protocol}`);
      if (to.username !== "" || to.password !== "") refuse(to, "the address carries credentials");
      if (to.protocol === "http:" && (!insecure || from?.protocol === "https:")) refuse(to, "it is plain http");
      if (!isPrivateAddress(to)) return;
      if (!allowPrivate) refuse(to, "it is a private address");
      if (from !== undefined && !isPrivateAddress(from))
        refuse(to, `${from.host} is public and led to a private address`);
    },
  };
}
