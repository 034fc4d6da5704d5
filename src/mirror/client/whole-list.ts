import { RegistryError } from "../registry.ts";
import { CLIENT_LIMITS } from "./limits.ts";

/**
 * Watches that a list is read to an end that the registry gave it. What is not in a list that merely broke off may be
 * there all the same: whoever deletes by it would delete what is wanted.
 */
export interface WholeList {
  /** Takes a page. @throws RegistryError "refused" if one of its names came before, or there are too many pages */
  page(names: readonly string[]): void;
  /** Goes on to another page. @throws RegistryError "refused" if that was read before */
  goOn(to: string): void;
  /** The error for a list that does not say how it goes on. */
  broken(why: string): RegistryError;
}

/** @param describe the registry and the list, for messages */
export function wholeList(describe: string): WholeList {
  const names = new Set<string>();
  const addresses = new Set<string>();
  let pages = 0;
  const broken = (why: string) => new RegistryError("refused", `${describe}: the list may not be whole: ${why}`);
  return {
    broken,
    page(page) {
      pages += 1;
      if (pages > CLIENT_LIMITS.pages) throw broken(`it has more than ${CLIENT_LIMITS.pages} pages`);
      for (const name of page) {
        if (names.has(name)) throw broken(`${JSON.stringify(name.slice(0, 255))} came twice`);
        names.add(name);
      }
    },
    goOn(to) {
      if (addresses.has(to)) throw broken("its next page is one that was read before");
      addresses.add(to);
    },
  };
}
