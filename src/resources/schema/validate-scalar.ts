import type { SchemaNode } from "../kinds/kind.ts";
import type { StatusCause } from "../status-error.ts";
import { invalidValue, tooLong, wrongType } from "./causes.ts";
import { numberHasFormat, textHasFormat } from "./formats.ts";
import { matchesPattern } from "./patterns.ts";
import { jsonTypeOf } from "./values.ts";

/** Length, pattern and format of a text. Lengths count code points, as JSON Schema does. */
export function checkText(value: string, node: SchemaNode, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (node.maxLength !== undefined && isLongerThan(value, node.maxLength)) causes.push(tooLong(path, node.maxLength));
  if (node.minLength !== undefined && !isLongerThan(value, node.minLength - 1))
    causes.push(invalidValue(path, value, `should be at least ${node.minLength} chars long`));
  if (node.pattern !== undefined && !matchesPattern(node.pattern, value))
    causes.push(invalidValue(path, value, `should match '${node.pattern}'`));
  if (node.format !== undefined && !textHasFormat(value, node.format))
    causes.push(wrongType(path, value, node.format, value.slice(0, 100)));
  return causes;
}

function isLongerThan(value: string, limit: number): boolean {
  if (value.length <= limit) return false;
  // A code point is one or two units: only in between does it have to be counted.
  if (value.length > limit * 2) return true;
  let count = 0;
  for (const _character of value) count += 1;
  return count > limit;
}

/** Bounds and format of a number. OpenAPI 3.0 has exclusive bounds as flags, later drafts as numbers. */
export function checkNumber(value: number, node: SchemaNode, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const lower = bound(node.minimum, node.exclusiveMinimum);
  const upper = bound(node.maximum, node.exclusiveMaximum);
  if (lower !== undefined && (lower.isExclusive ? value <= lower.limit : value < lower.limit))
    causes.push(
      invalidValue(path, value, `should be greater than ${lower.isExclusive ? "" : "or equal to "}${lower.limit}`),
    );
  if (upper !== undefined && (upper.isExclusive ? value >= upper.limit : value > upper.limit))
    causes.push(
      invalidValue(path, value, `should be less than ${upper.isExclusive ? "" : "or equal to "}${upper.limit}`),
    );
  if (node.multipleOf !== undefined && !isMultiple(value, node.multipleOf))
    causes.push(invalidValue(path, value, `should be a multiple of ${node.multipleOf}`));
  if (node.format !== undefined && !numberHasFormat(value, node.format))
    causes.push(wrongType(path, value, node.format, jsonTypeOf(value)));
  return causes;
}

function bound(
  limit: number | undefined,
  exclusive: boolean | number | undefined,
): { readonly limit: number; readonly isExclusive: boolean } | undefined {
  if (typeof exclusive === "number") return { limit: exclusive, isExclusive: true };
  return limit === undefined ? undefined : { limit, isExclusive: exclusive === true };
}

/** 0.3 is a multiple of 0.1, though not in binary fractions. */
function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor;
  return Math.abs(quotient - Math.round(quotient)) <= Number.EPSILON * Math.max(1, Math.abs(quotient));
}
