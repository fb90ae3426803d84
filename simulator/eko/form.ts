/** The fields of one Eko call, as text: documents and clients disagree on which of them are numbers (facts/eko §7.4). */
export class Form {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  /** Null where `text` is not a JSON object. */
  static fromJson(text: string): Form | null {
    let read: unknown;
    try {
      read = JSON.parse(text);
    } catch {
      return null;
    }
    if (typeof read !== "object" || read === null || Array.isArray(read)) return null;
    const fields = new Map<string, string>();
    for (const [name, value] of Object.entries(read)) {
      if (typeof value === "string" || typeof value === "number") fields.set(name, String(value));
      else if (typeof value === "object" && value !== null) fields.set(name, JSON.stringify(value));
    }
    return new Form(fields);
  }

  static fromQuery(query: URLSearchParams): Form {
    return new Form(new Map(query));
  }

  /** "" where the field is absent. */
  text(name: string): string {
    return this.#fields.get(name) ?? "";
  }

  has(name: string): boolean {
    return this.text(name) !== "";
  }

  missing(names: readonly string[]): Record<string, string> {
    const missing = names.filter((name) => !this.has(name));
    return Object.fromEntries(missing.map((name) => [name, "Please provide the value of the field"]));
  }
}
