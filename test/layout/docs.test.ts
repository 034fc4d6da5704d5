import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const files = globSync(["src/**/*", "test/**/*", "bench/**/*"], { cwd: ROOT }).map((file) =>
  file.replaceAll("\\", "/"),
);
const code = files.filter((file) => file.endsWith(".ts")).map((file) => readFileSync(path.join(ROOT, file), "utf8"));

const PAGES = globSync(
  [
    "docs/{architecture,uploads,reads,garbage-collection,operation-counts,self-host}.md",
    "CONTRIBUTING.md",
    "src/*/README.md",
  ],
  { cwd: ROOT },
);

/** What a page sets in code. */
function named(page: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, page), "utf8").replaceAll(/```[^]*?```/g, "");
  return [...new Set([...text.matchAll(/`([^`\n]+)`/g)].map(([, name = ""]) => name))];
}

/** Whether a file has that name or path, in which `*` stands for some characters. */
function isFile(name: string): boolean {
  const pattern = name.replaceAll(".", String.raw`\.`).replaceAll("*", "[^/]*");
  return files.some((file) => new RegExp(`(?:^|/)${pattern}$`).test(file));
}

/** Whether all words of a name such as `Uploads.close` or `#finish` are in the code. */
function isWritten(name: string): boolean {
  const words = name.split(/[.#]/).filter(Boolean);
  return words.every((word) => code.some((text) => new RegExp(`\\b${word}\\b`).test(text)));
}

describe.each(PAGES)("%s names what there is", (page) => {
  it("as files", () => {
    const missing = named(page).filter((name) => /^[\w./*-]+\.tsx?$/.test(name) && !isFile(name));
    expect(missing).toEqual([]);
  });

  it("as classes, functions and methods", () => {
    const isName = (name: string) =>
      /^#?[A-Za-z]\w*(?:\.#?[a-z]\w*)?$/.test(name) && /[a-z][A-Z]|[a-z]\.#?[a-z]/.test(name);
    const missing = named(page).filter(
      (name) => isName(name) && !/\.(?:ts|md|yaml|json|toml|sh|js)$/.test(name) && !isWritten(name),
    );
    expect(missing).toEqual([]);
  });
});
