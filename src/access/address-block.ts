/**
 * The part of an address that one client has to itself: of IPv6 the first 64 bits, of IPv4 all of it, also where it is
 * written as IPv6 (RFC 4291, sections 2.2 and 2.5.5.2). What is no address stays as it is.
 */
export function addressBlock(address: string): string {
  const text = address.replace(/%.*$/, "").toLowerCase();
  if (!text.includes(":")) return text;
  const canonical = URL.canParse(`http://[${text}]/`) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : undefined;
  if (canonical === undefined) return text;
  const groups = ipv6Groups(canonical);
  const [, , , , , marker, high = 0, low = 0] = groups;
  if (marker === 0xffff && groups.slice(0, 5).every((group) => group === 0))
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** Eight numbers of an address as the URL parser writes it. */
function ipv6Groups(text: string): number[] {
  const [head = "", tail = ""] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}
