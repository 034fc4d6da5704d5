/**
 * The address of a registry as people write it: a host, with or without port, path and scheme. Without a scheme it is
 * https, or http if the registry is insecure. `undefined` if it is none, or has credentials, a query or a fragment.
 */
export function registryAddress(text: string, insecure: boolean): URL | undefined {
  const withScheme = /^https?:\/\//i.test(text) ? text : `${insecure ? "http" : "https"}://${text}`;
  if (/[\s\\?#@]/.test(text) || !URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  if (url.hostname === "" || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  // A scheme that is not one of the two would be read as a host.
  return /^https?:\/\//i.test(text) || !text.includes("://") ? url : undefined;
}

/** What is wrong with the address of a registry, if anything. */
export function addressProblem(text: string, insecure: boolean): string | undefined {
  const url = registryAddress(text, insecure);
  if (url === undefined) return "must be an http or https address, or a host, without credentials, query or fragment";
  return url.protocol === "http:" && !insecure ? "must be https, unless insecure is true" : undefined;
}
