import { describe, expect, it } from "vitest";
import { readCommand } from "./options.ts";

describe("readCommand", () => {
  it.each([
    [["--version"], { name: "version" }],
    [["--help"], { name: "print", text: expect.stringContaining("entrepot <command>") }],
    [["sync", "--help"], { name: "print", text: expect.stringContaining("--config FILE") }],
    [
      ["sync"],
      {
        name: "sync",
        options: {
          config: "sync.yaml",
          tasks: [],
          dryRun: false,
          onlyFailed: false,
          validate: false,
          watch: false,
          verbose: false,
          format: "text",
          state: ".entrepot-sync",
          referrersEvery: 86_400_000,
        },
      },
    ],
    [
      [
        "sync",
        "-c",
        "x",
        "--task",
        "a",
        "--task",
        "b",
        "--dry-run",
        "-v",
        "--format",
        "json",
        "--referrers-every",
        "0s",
      ],
      {
        name: "sync",
        options: { config: "x", tasks: ["a", "b"], dryRun: true, verbose: true, format: "json", referrersEvery: 0 },
      },
    ],
  ])("%j", (args, expected) => {
    expect(readCommand(args)).toMatchObject(expected);
  });

  it.each([
    [[], "a command is needed"],
    [["copy"], "copy is not a command"],
    [["sync", "--nope"], "--nope"],
    [["sync", "extra"], "extra"],
    [["sync", "--format", "xml"], "--format: xml"],
    [["sync", "--referrers-every", "often"], "--referrers-every: often"],
    [["sync", "--watch", "--dry-run"], "--dry-run: may not"],
    [["sync", "--watch", "--only-failed"], "--only-failed: may not"],
  ])("%j is wrong use", (args, message) => {
    expect(() => readCommand(args)).toThrow(message);
  });
});
