/** Compares by code units, as databases and registries sort. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares two texts of digits as numbers of any size. */
export function compareDigits(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+(?=\d)/, ""), b.replace(/^0+(?=\d)/, "")];
  return x.length - y.length || compareText(x, y);
}

/** Compares texts such that runs of digits count as numbers: `rc9` comes before `rc10`. Zero only for equal texts. */
export function compareNatural(a: string, b: string): number {
  const [x, y] = [runsOf(a), runsOf(b)];
  for (const [index, left] of x.entries()) {
    const right = y[index];
    if (right === undefined) return 1;
    const order = isDigits(left) && isDigits(right) ? compareDigits(left, right) : compareText(left, right);
    if (order !== 0) return order;
  }
  return x.length - y.length || compareText(a, b);
}

function runsOf(text: string): readonly string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

export function isDigits(text: string): boolean {
  return /^\d+$/.test(text);
}
