/** One HTTP answer before it is written; transport faults still change it. */
export type Reply =
  | { readonly kind: "json"; readonly status: number; readonly body: Body; readonly retryAfterSeconds?: number }
  | { readonly kind: "html"; readonly status: number; readonly body: string }
  | { readonly kind: "empty"; readonly status: number };

export type Body = Readonly<Record<string, unknown>>;

/** What a call changed at the provider; a retry does not undo it. */
export type Committed = "otp-sent" | "verified" | "sender-created";

/** What carrying out a call came to. */
export interface Answer {
  readonly reply: Reply;
  readonly committed: Committed | null;
}

export function json(status: number, body: Body): Reply {
  return { kind: "json", status, body };
}

/** The page of a load balancer in front of the provider. */
export function htmlPage(status: number, title: string): Reply {
  return {
    kind: "html",
    status,
    body: `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`,
  };
}

/** The same keys with values of other types: what a schema change at the provider looks like. */
export function wrongTypes(body: Body): Body {
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, ofAnotherType(value)]));
}

function ofAnotherType(value: unknown): unknown {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return { value };
  return typeof value === "object" && value !== null ? Object.values(value) : 0;
}
