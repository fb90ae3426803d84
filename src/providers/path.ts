import { ErrorCode, SatyapanError } from "../base/error.ts";

/**
 * Fills `{field}` placeholders with percent-encoded values. Throws SatyapanError(BAD_INPUT), which names the field and never
 * the value, where a value is missing, empty, a dot segment that would climb out of the path, or not encodable.
 */
export function fillPath(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (_, field: string) => {
    const value = Object.hasOwn(values, field) ? values[field] : undefined;
    if (value === undefined || value === "") {
      throw new SatyapanError(ErrorCode.BAD_INPUT, `the path ${template} needs a value for "${field}"`);
    }
    if (value === "." || value === ".." || !value.isWellFormed()) {
      throw new SatyapanError(
        ErrorCode.BAD_INPUT,
        `the value for "${field}" in the path ${template} cannot stand in a URL`,
      );
    }
    return encodeURIComponent(value);
  });
}

/** `path` with `query` behind it, form-encoded (a space is `+`); `path` itself where there is none. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const encoded = new URLSearchParams(query).toString();
  return encoded === "" ? path : `${path}?${encoded}`;
}

/** The path that comes before every operation's: that of the base URL, without a slash at its end. */
export function basePath(baseUrl: URL): string {
  return baseUrl.pathname.replace(/\/+$/, "");
}
