import { isPrivateAddress } from "./private-address.ts";

/**
 * Why an address is not called: it is none that clients here call; it is not on the public Internet
 * (`OUTBOUND_PRIVATE`); or one on the public Internet named it, and it is not there itself.
 */
export type AddressRefusal = "bad-address" | "private-address" | "led-to-private";

/**
 * The one rule of what may be called, for every client there is: addresses that somebody configured, and those that a
 * service hands out in a redirect, a `Link`, a `Location`, a realm, or a document such as an issuer's.
 *
 * A public service has no business to send anyone to a private address, whatever the setting; a private one may name its
 * own neighbours. What a name resolves to is held by the runtime: by `global_fetch_strictly_public` on Cloudflare, and by
 * the network that `selfhost/network.ts` binds.
 * @param from who named the address; absent if it was configured
 */
export function addressRefusal(to: URL, allowPrivate: boolean, from?: URL): AddressRefusal | undefined {
  if (!/^https?:$/.test(to.protocol) || to.username !== "" || to.password !== "") return "bad-address";
  if (!isPrivateAddress(to)) return undefined;
  if (!allowPrivate) return "private-address";
  return from !== undefined && !isPrivateAddress(from) ? "led-to-private" : undefined;
}
