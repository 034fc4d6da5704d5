/** A place in a text, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong with a text, and where. */
export class SyntaxFault extends Error {
  override readonly name = "SyntaxFault";
  readonly place: Place;
  /** The text may be good, but is not let in; reading it another way would not help. */
  readonly isForbidden: boolean;

  constructor(message: string, place: Place, isForbidden = false) {
    super(message);
    this.place = place;
    this.isForbidden = isForbidden;
  }
}

/** A whole number that no double has: it would be kept as another one. */
export class InexactInteger extends SyntaxFault {
  constructor(written: string, place: Place) {
    const range = `-${Number.MAX_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`;
    super(`the whole number ${written.slice(0, 50)} cannot be kept exactly: they are from ${range}`, place, true);
  }
}

/** How deep a text may be nested, and an object that is kept. */
export const MAX_NESTING = 100;

/** Keys that mean something to JavaScript itself. No object that is kept has them. */
const POISONOUS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export function isPoisonous(key: string): boolean {
  return POISONOUS.has(key);
}
