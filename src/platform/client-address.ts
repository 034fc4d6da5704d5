const IPV4 = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;

/**
 * Reads where a request came from in the header that the front of the server writes. The last address in it counts:
 * those before it are what the client claimed.
 * @param header `undefined` if there is no such header; the address is not known then
 */
export function clientAddress(header: string | undefined): (request: Request) => string | undefined {
  if (header === undefined) return () => undefined;
  return function addressOf({ headers }) {
    const value = headers.get(header);
    return value === null ? undefined : parseAddress(value.slice(value.lastIndexOf(",") + 1));
  };
}

/**
 * An IP address in its one canonical form (RFC 5952), without a port; `undefined` if the text is none. An IPv4 address
 * that is written as IPv6 becomes IPv4.
 */
export function parseAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const [, bracketed, , ipv4] = /^(?:\[([^\]]*)\](:\d{1,5})?|([^:]*)(?::\d{1,5})?)$/.exec(trimmed) ?? [];
  if (ipv4 !== undefined) return IPV4.test(ipv4) ? ipv4 : undefined;
  return parseIpv6(bracketed ?? trimmed);
}

function parseIpv6(text: string): string | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text) || !text.includes(":")) return undefined;
  let address: string;
  try {
    address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}
