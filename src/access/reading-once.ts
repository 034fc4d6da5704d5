import type { Directory } from "./directory.ts";
import type { Identity, Principal } from "./identity.ts";

/** What one request reads of the database to find out who it is from, in as few turns as it can. */
export interface ReadingOnce {
  /**
   * Asks for the generation of rights, the first time.
   * @param name whose account is asked for with it
   * @param likely who the request is from, if it was known a moment ago
   */
  begin(name?: string, likely?: Identity): void;
  /** The generation, asked for by now. */
  generation(): Promise<string>;
  /** Has the account of someone who was proved be known, unless none is needed. */
  account(principal: Principal): Promise<void>;
}

/** @param alongside what else the request reads, once it is all but known who it is from (`Gate.authenticate`) */
export function readingOnce(
  directory: Pick<Directory, "generation">,
  alongside: (likely: Identity | undefined) => void,
): ReadingOnce {
  let asked: Promise<string> | undefined;
  let isAlongside = false;

  function join(likely: Identity | undefined): void {
    if (isAlongside) return;
    isAlongside = true;
    alongside(likely);
  }

  function ask(name: string | undefined): Promise<string> {
    const asking = directory.generation(name);
    // Whoever is refused before does not come to the answer.
    asking.catch(() => {});
    return asking;
  }

  return {
    begin(name, likely) {
      asked ??= ask(name);
      if (name !== undefined || likely !== undefined) join(likely);
    },
    generation: () => (asked ??= ask(undefined)),
    async account({ name, vouched }) {
      const asking = vouched === true ? undefined : ask(name);
      join(undefined);
      await asking;
    },
  };
}
