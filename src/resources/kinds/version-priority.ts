const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

const STABILITY = { alpha: 0, beta: 1, stable: 2 } as const;

/**
 * Orders versions, the preferred one first: stable before beta before alpha, a higher number before a lower one, and any
 * other name last, by the alphabet.
 * @see kubernetes/apimachinery, pkg/version, CompareKubeAwareVersionStrings
 */
export function byPriority(left: string, right: string): number {
  const [first, second] = [parsed(left), parsed(right)];
  if (first === undefined || second === undefined) {
    if (first !== undefined) return -1;
    if (second !== undefined) return 1;
    return left < right ? -1 : Number(left > right);
  }
  return second.stability - first.stability || second.major - first.major || second.minor - first.minor;
}

function parsed(version: string): { stability: number; major: number; minor: number } | undefined {
  const match = VERSION.exec(version);
  if (match === null) return undefined;
  const [, major, stage, minor = "0"] = match;
  const stability = stage === "alpha" || stage === "beta" ? STABILITY[stage] : STABILITY.stable;
  return { stability, major: Number(major), minor: Number(minor) };
}
