import type { Environment } from "@marcbachmann/cel-js";
import { PER_CHARACTER, spend } from "../budget.ts";
import { requirePattern } from "../../patterns.ts";

/** @see cel-go, ext/strings.go; Kubernetes, "CEL in Kubernetes", regex library and URL library */
export function registerTexts(environment: Environment): void {
  environment
    .registerFunction("string.charAt(int): string", charAt)
    .registerFunction("string.reverse(): string", (text: string) => Array.from(text).toReversed().join(""))
    .registerFunction("string.replace(string, string): string", (text: string, from: string, to: string) =>
      replace(text, from, to, -1n),
    )
    .registerFunction("string.replace(string, string, int): string", replace)
    .registerFunction(
      "string.find(string): string",
      (text: string, pattern: string) => found(text, pattern, 1)[0] ?? "",
    )
    .registerFunction("string.findAll(string): list<string>", (text: string, pattern: string) =>
      found(text, pattern, Number.POSITIVE_INFINITY),
    )
    .registerFunction("string.findAll(string, int): list<string>", (text: string, pattern: string, limit: bigint) =>
      found(text, pattern, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit)),
    )
    .registerType("Url", UrlValue)
    .registerFunction("isURL(string): bool", (text: string) => parseUrl(text) !== undefined)
    .registerFunction("url(string): Url", (text: string) => {
      const parsed = parseUrl(text);
      if (parsed === undefined) throw new Error(`not a URL: ${text.slice(0, 200)}`);
      return new UrlValue(parsed);
    })
    .registerFunction("Url.getScheme(): string", ({ url }: UrlValue) => url.protocol.slice(0, -1))
    .registerFunction("Url.getHost(): string", ({ url }: UrlValue) => url.host)
    .registerFunction("Url.getHostname(): string", ({ url }: UrlValue) => url.hostname.replace(/^\[(.*)\]$/, "$1"))
    .registerFunction("Url.getPort(): string", ({ url }: UrlValue) => url.port)
    .registerFunction("Url.getEscapedPath(): string", ({ url }: UrlValue) => url.pathname)
    .registerFunction("Url.getQuery(): map<string, list<string>>", ({ url }: UrlValue) => queryOf(url));
}

class UrlValue {
  readonly url: URL;

  constructor(url: URL) {
    this.url = url;
  }
}

/** An absolute URL, or a path, which has neither scheme nor host. @see net/url, ParseRequestURI */
function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function queryOf(url: URL): Readonly<Record<string, readonly string[]>> {
  const names = new Set(url.searchParams.keys());
  return Object.fromEntries([...names].map((name) => [name, url.searchParams.getAll(name)]));
}

function charAt(text: string, index: bigint): string {
  const characters = Array.from(text);
  const character = characters[Number(index)];
  if (character === undefined && Number(index) !== characters.length) throw new Error(`index out of range: ${index}`);
  return character ?? "";
}

function replace(text: string, from: string, to: string, limit: bigint): string {
  const parts = text.split(from);
  const times = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1);
  spend(times * to.length * PER_CHARACTER);
  const replaced = parts.slice(0, times + 1).join(to);
  return [replaced, ...parts.slice(times + 1)].join(from);
}

function found(text: string, pattern: string, limit: number): string[] {
  const matcher = requirePattern(pattern).matcher(text);
  const all: string[] = [];
  while (all.length < limit && matcher.find()) all.push(matcher.group() ?? "");
  return all;
}
