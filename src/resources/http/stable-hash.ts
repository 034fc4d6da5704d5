/**
 * 64 bits of a text, as 16 hexadecimal digits: the same in each isolate and version. Tells documents apart for caches;
 * it is no defence against who wants two to be the same.
 * @see FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function stableHash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ (unit + index), 0x01000193);
  }
  return hex(mixed(high ^ (low >>> 7))) + hex(mixed(low ^ (high >>> 9)));
}

/** Spreads each bit over all of them. */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
