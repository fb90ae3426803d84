/** Closes a `switch` over a union: a new member does not compile until it is handled here. */
export function assertNever(value: never, what: string): never {
  throw new TypeError(`unhandled ${what}: ${JSON.stringify(value)}`);
}
