import { readFileSync } from "node:fs";

/** Addresses of workerd's networks: `private` is loopback and what is not routed, `240.0.0.0/4` is in neither. */
const PUBLIC = ["public"];
const ALL = ["public", "private", "240.0.0.0/4"];

/** A network that requests leave by, as Miniflare takes it. */
export interface Network {
  readonly network: {
    readonly allow: string[];
    readonly tlsOptions: { readonly trustBrowserCas: boolean; readonly trustedCertificates: string[] };
  };
}

/**
 * The network by which a self-host calls other services. With `OUTBOUND_PRIVATE=deny` workerd itself reaches public
 * addresses only, so that a name that resolves to another one is not called either. Storage goes another way: it may be
 * anywhere.
 * @see workerd, workerd.capnp, Network
 */
export function outboundNetwork({ OUTBOUND_PRIVATE }: Readonly<Record<string, string>>): Network {
  const allow = OUTBOUND_PRIVATE === "deny" ? PUBLIC : ALL;
  return {
    network: { allow: [...allow], tlsOptions: { trustBrowserCas: true, trustedCertificates: extraCertificates() } },
  };
}

/** What `NODE_EXTRA_CA_CERTS` adds to the authorities that are trusted. */
function extraCertificates(): string[] {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  try {
    const text = file === undefined ? "" : readFileSync(file, "utf8");
    return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  } catch {
    // Node has warned of it.
    return [];
  }
}
