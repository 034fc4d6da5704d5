/** A token of a CEL expression: where it is, and whether it is a name. */
interface Token {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isName: boolean;
}

// Comments, texts (raw and triple-quoted ones too), names, numbers, anything else. @see CEL specification, "Syntax"
const TOKEN =
  /\/\/[^\n]*|(?:[rRbB]{1,2})?(?:"""[^]*?"""|'''[^]*?''')|[rR][bB]?(?:"[^"\n]*"|'[^'\n]*')|[bB]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|[A-Za-z_]\w*|\d[\w.]*|\S/gy;

const OPENING: ReadonlySet<string> = new Set(["(", "[", "{"]);
const CLOSING: ReadonlySet<string> = new Set([")", "]", "}"]);

/** The value that ends a loop at once; `undefined` where only an error does. */
const LOOPS: ReadonlyMap<string, string | undefined> = new Map([
  ["all", "false"],
  ["exists", "true"],
  ["exists_one", undefined],
  ["filter", undefined],
  ["map", undefined],
]);

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  let position = 0;
  while (position < source.length) {
    const space = /\s*/y;
    space.lastIndex = position;
    position += space.exec(source)?.[0].length ?? 0;
    pattern.lastIndex = position;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) break;
    if (!text.startsWith("//")) {
      tokens.push({ text, start: position, end: position + text.length, isName: /^[A-Za-z_]\w*$/.test(text) });
    }
    position += text.length;
  }
  return tokens;
}

/** Whether an expression reads a variable, as opposed to a field or a method of that name. */
export function readsVariable(source: string, name: string): boolean {
  const tokens = tokensOf(source);
  return tokens.some((token, index) => token.isName && token.text === name && tokens[index - 1]?.text !== ".");
}

/**
 * Writes an expression anew so that its cost can be counted. Each turn of a loop asks `tick_` first, and every list or
 * text that a loop or a binding makes goes through `sized_`: a Worker's clock stands still while it computes, so only
 * counting can end a rule that would never end. The loops `all` and `exists` swallow errors of their turns; they end
 * when their answer is known, which is what they are given instead. `matches` becomes a function of our own, in RE2.
 */
export function countedSource(source: string): string {
  const tokens = tokensOf(source);
  const before = tokens.map(() => "");
  const after = tokens.map(() => "");
  const wrap = (argument: Span | undefined, open: string, close: string) => {
    if (argument === undefined || argument.last < argument.first) return;
    before[argument.first] += open;
    after[argument.last] = close + after[argument.last];
  };
  const replaced = tokens.map((token) => token.text);
  for (const [index, token] of tokens.entries()) {
    if (!token.isName || tokens[index - 1]?.text !== "." || tokens[index + 1]?.text !== "(") continue;
    if (token.text === "matches") replaced[index] = "matchesRe2_";
    const args = argumentsFrom(tokens, index + 1);
    if (token.text === "bind" && tokens[index - 2]?.text === "cel") wrap(args[1], "sized_(", ")");
    if (!LOOPS.has(token.text)) continue;
    const end = LOOPS.get(token.text);
    for (const argument of args.slice(1)) {
      const searches = tokens.slice(argument.first, argument.last + 1).some(isSearch);
      const tick = `(tick_(${searches ? 1 : 0})?`;
      if (end === undefined) wrap(argument, `${tick}sized_(`, "):fail_())");
      else wrap(argument, `${tick}(`, `):${end})`);
    }
  }
  const parts = tokens.map((token, index) => {
    const gap = source.slice(tokens[index - 1]?.end ?? 0, token.start);
    return `${gap}${before[index]}${replaced[index]}${after[index]}`;
  });
  return parts.join("");
}

/** `in`, equality and conversions read a whole list or text: a turn that has one costs more. */
function isSearch(token: Token): boolean {
  return token.text === "in" || token.text === "matches" || token.text === "contains" || token.text === "sum";
}

/** First and last token of an argument. */
interface Span {
  readonly first: number;
  readonly last: number;
}

function argumentsFrom(tokens: readonly Token[], opening: number): Span[] {
  const spans: Span[] = [];
  let depth = 0;
  let first = opening + 1;
  for (let index = opening; index < tokens.length; index += 1) {
    const text = tokens[index]?.text ?? "";
    if (OPENING.has(text)) depth += 1;
    else if (CLOSING.has(text)) depth -= 1;
    const isEnd = depth === 0;
    if (isEnd || (text === "," && depth === 1)) {
      spans.push({ first, last: index - 1 });
      first = index + 1;
    }
    if (isEnd) break;
  }
  return spans;
}
