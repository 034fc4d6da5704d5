import type { Platform } from "../../oci/index.ts";
import { err, ok, type Result } from "../../platform/index.ts";
import type { PlatformRule, PlatformSelector } from "./mirror-rules.ts";

/** Operating systems that `architectures` of the old shape may begin with. */
const SYSTEMS: ReadonlySet<string> = new Set([
  "aix",
  "android",
  "darwin",
  "dragonfly",
  "freebsd",
  "illumos",
  "ios",
  "js",
  "linux",
  "netbsd",
  "openbsd",
  "plan9",
  "solaris",
  "wasip1",
  "windows",
]);

/** Other names of architectures, as people and `uname` write them. */
const ALIASES: Readonly<Record<string, string>> = { x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64", i386: "386" };

/** Variants that say nothing more than the architecture. @see containerd, platforms, "Normalization" */
const IMPLIED: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

function architectureOf(text: string): string {
  const lower = text.toLowerCase();
  return ALIASES[lower] ?? lower;
}

function variantOf(architecture: string, variant: string | undefined): string {
  const text = (variant ?? "").toLowerCase();
  const named = /^\d+$/.test(text) ? `v${text}` : text;
  return named === IMPLIED[architecture] ? "" : named;
}

/**
 * Whether a platform is one that a selector means. A selector without a variant means every variant, with one exactly
 * it, `arm64/v8` and `amd64/v1` being the same as without. `osVersion` is compared component by component as far as it
 * goes.
 */
export function isSelected(platform: Platform, selector: PlatformSelector): boolean {
  const architecture = architectureOf(platform.architecture);
  if (platform.os.toLowerCase() !== selector.os.toLowerCase()) return false;
  if (architecture !== architectureOf(selector.architecture)) return false;
  if (selector.variant !== undefined) {
    if (variantOf(architecture, platform.variant) !== variantOf(architecture, selector.variant)) return false;
  }
  return selector.osVersion === undefined || `${platform["os.version"] ?? ""}.`.startsWith(`${selector.osVersion}.`);
}

/** Whether a rule selects a platform, of an image without an index for one. */
export function matchesPlatform(platform: Platform, rule: PlatformRule): boolean {
  return rule.mode === "all" || rule.select.some((selector) => isSelected(platform, selector));
}

/** A platform as people write it: `linux/arm/v7`, with the version of a Windows in parentheses. */
export function platformText(platform: Platform): string {
  const name = [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
  const version = platform["os.version"];
  return version === undefined ? name : `${name} (${version})`;
}

/** A selector as people write it. */
export function selectorText({ osVersion, ...selector }: PlatformSelector): string {
  const { os, architecture, variant } = selector;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return platformText(osVersion === undefined ? platform : { ...platform, "os.version": osVersion });
}

/**
 * The platforms of a rule in the shape `["amd64", "arm/v7"]`, also with an operating system before them. The index is
 * rewritten to them, which every target accepts; an empty list is all platforms.
 */
export function platformsOfArchitectures(architectures: readonly string[]): Result<PlatformRule, string> {
  const select: PlatformSelector[] = [];
  for (const text of architectures) {
    const selector = selectorOf(text);
    if (selector === undefined) return err(`${JSON.stringify(text)} is no architecture such as amd64 or arm/v7`);
    select.push(selector);
  }
  return ok({ mode: select.length === 0 ? "all" : "rewrite", select });
}

/** The other way round, for who knows only the old shape: without `linux/`, which that implies. */
export function architecturesOfPlatforms(rule: PlatformRule): readonly string[] {
  return rule.select.map(({ os, architecture, variant }) =>
    [os === "linux" ? "" : os, architecture, variant].filter(Boolean).join("/"),
  );
}

function selectorOf(text: string): PlatformSelector | undefined {
  const parts = text.trim().toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) return undefined;
  const hasSystem = SYSTEMS.has(parts[0] ?? "");
  const [architecture, variant, excess] = hasSystem ? parts.slice(1) : parts;
  if (architecture === undefined || excess !== undefined) return undefined;
  return {
    os: hasSystem ? (parts[0] ?? "linux") : "linux",
    architecture: architectureOf(architecture),
    ...(variant === undefined ? {} : { variant }),
  };
}
