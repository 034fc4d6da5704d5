export { createWithhold, WITHHELD, type Withhold } from "./withhold.ts";
