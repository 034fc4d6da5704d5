/**
 * The texts of all elements called `name`, entities and character references resolved. Enough for the flat answers of S3, whose interesting
 * elements hold text only; not a parser.
 */
export function elementTexts(xml: string, name: string): string[] {
  const texts: string[] = [];
  const open = `<${name}>`;
  const close = `</${name}>`;
  for (let at = xml.indexOf(open); at >= 0; at = xml.indexOf(open, at)) {
    const start = at + open.length;
    const end = xml.indexOf(close, start);
    if (end < 0) break;
    texts.push(unescapeXml(xml.slice(start, end)));
    at = end;
  }
  return texts;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" } as const;

export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character as keyof typeof ENTITIES]);
}

const CHARACTERS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-z]+));/g, (reference, hex, decimal, name) => {
    if (typeof name === "string") return CHARACTERS[name] ?? reference;
    const code = typeof hex === "string" ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10_ff_ff ? String.fromCodePoint(code) : reference;
  });
}
