/** Names that never leave a private network. @see RFC 6761, RFC 6762, RFC 8375; ICANN 2024 (`.internal`) */
const PRIVATE_SUFFIXES = ["localhost", "local", "internal", "localdomain", "home.arpa", "intranet", "lan", "private"];

/** IPv4 blocks that are not the public Internet. @see IANA IPv4 Special-Purpose Address Registry */
const PRIVATE_IPV4: readonly (readonly [base: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

const blocks = PRIVATE_IPV4.map(([base, bits]) => ({ base: ipv4Number(base) ?? 0, size: 2 ** (32 - bits) }));

/**
 * Whether an `http:` or `https:` address names a host that is not on the public Internet. The URL parser has already
 * brought octal, hexadecimal, short and decimal spellings of IPv4 to four decimal numbers (WHATWG URL, "IPv4 parser").
 *
 * A public name may still resolve to a private address; a Worker cannot see that, and the runtime refuses it.
 * @see `addressRefusal`
 */
export function isPrivateAddress(url: URL): boolean {
  const host = url.hostname.toLowerCase().replace(/\.+$/, "");
  if (host.startsWith("[")) return isPrivateIpv6(host.slice(1, -1));
  const ipv4 = ipv4Number(host);
  if (ipv4 !== undefined) return isPrivateIpv4(ipv4);
  // A name without a dot is looked up in the resolver's own domain: a machine or a container beside this one.
  if (!host.includes(".")) return true;
  return PRIVATE_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`));
}

/** Whether an address names the machine itself: `localhost` and names below it (RFC 6761, section 6.3), 127.0.0.0/8, `::1`. */
export function isLoopbackAddress(url: URL): boolean {
  const host = url.hostname.toLowerCase().replace(/\.+$/, "");
  if (host === "[::1]" || host === "localhost" || host.endsWith(".localhost")) return true;
  return ipv4Number(host) !== undefined && host.startsWith("127.");
}

function ipv4Number(text: string): number | undefined {
  if (!/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text)) return undefined;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isPrivateIpv4(address: number): boolean {
  return blocks.some(({ base, size }) => address >= base && address < base + size);
}

/** @see IANA IPv6 Special-Purpose Address Registry; what is not in 2000::/3 is not routed */
function isPrivateIpv6(text: string): boolean {
  const groups = ipv6Groups(text);
  if (groups === undefined) return true;
  const [first = 0, second = 0] = groups;
  const embedded = embeddedIpv4(groups);
  if (embedded !== undefined) return isPrivateIpv4(embedded);
  if (first < 0x2000 || first > 0x3fff) return true;
  // 2001::/23 (Teredo, ORCHID and other protocols), 2001:db8::/32 and 3fff::/20 (documentation)
  if (first === 0x2001 && (second < 0x0200 || second === 0x0db8)) return true;
  return first === 0x3fff && second < 0x1000;
}

/** The IPv4 address that an IPv6 address reaches: mapped, compatible, translated (RFC 6052, RFC 8215), or 6to4. */
function embeddedIpv4(groups: readonly number[]): number | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const last = g * 0x1_0000 + h;
  const zeros = a === 0 && b === 0 && c === 0 && d === 0;
  if (zeros && e === 0 && (f === 0xffff || f === 0)) return last;
  if (zeros && e === 0xffff && f === 0) return last;
  if (a === 0x64 && b === 0xff9b) return last;
  if (a === 0x2002) return b * 0x1_0000 + c;
  return undefined;
}

/** Eight numbers of an IPv6 address as the URL parser writes it: hexadecimal, one `::` at most. */
function ipv6Groups(text: string): number[] | undefined {
  const [head = "", tail] = text.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = 8 - before.length - after.length;
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined;
  const groups = [...before, ...Array.from({ length: missing }, () => "0"), ...after].map((group) =>
    /^[0-9a-f]{1,4}$/.test(group) ? Number.parseInt(group, 16) : Number.NaN,
  );
  return groups.some((group) => Number.isNaN(group)) ? undefined : groups;
}
