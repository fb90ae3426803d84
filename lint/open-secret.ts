/** A node of the syntax tree (ESTree), as far as this rule looks at it. */
interface Node {
  readonly type: string;
  readonly parent?: Node;
  readonly name?: string;
  readonly value?: unknown;
  readonly computed?: boolean;
  readonly object?: Node;
  readonly property?: Node;
  readonly callee?: Node;
  readonly arguments?: readonly Node[];
}

interface RuleContext {
  report(problem: { readonly node: Node; readonly message: string }): void;
}

const MESSAGE =
  "A Secret is opened only in the files listed in .oxlintrc.json: where a request is built, a value is sealed or hashed, or a connection is made.";
/** What stands between a member and its call, and changes nothing. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  ...["ChainExpression", "ParenthesizedExpression", "TSNonNullExpression", "TSAsExpression", "TSSatisfiesExpression"],
]);

/**
 * `open()` without arguments, on anything but a class by its name (`RedisAccess.open(…)`), and any `open` of a prototype or
 * with `call`, `apply` or `bind`. Oxlint's plugins know no types; a `secret.open` that is not called is for
 * `typescript/unbound-method`, which does.
 */
const openSecret = {
  create: (context: RuleContext) => ({
    MemberExpression(node: Node): void {
      if (nameOf(node) !== "open" || node.object === undefined) return;
      if (isClass(node.object)) return;
      const isPrototypes = node.object.type === "MemberExpression" && nameOf(node.object) === "prototype";
      if (isPrototypes || isOpening(node)) context.report({ node, message: MESSAGE });
    },
  }),
};

function isOpening(member: Node): boolean {
  let inner = member;
  let outer = member.parent;
  while (outer !== undefined && TRANSPARENT.has(outer.type)) [inner, outer] = [outer, outer.parent];
  if (outer?.type === "CallExpression") return outer.callee === inner && outer.arguments?.length === 0;
  if (outer?.type !== "MemberExpression" || outer.object !== inner) return false;
  return ["call", "apply", "bind"].includes(nameOf(outer) ?? "");
}

function nameOf({ computed, property }: Node): string | null {
  // `this.#open` is another method: a private name.
  const name = computed === true ? property?.value : property?.type === "Identifier" ? property.name : null;
  return typeof name === "string" ? name : null;
}

function isClass({ type, name }: Node): boolean {
  return type === "Identifier" && name !== undefined && /^[A-Z]/.test(name);
}

// oxlint-disable-next-line import/no-default-export -- Oxlint takes a plugin from the default export.
export default { meta: { name: "satyapan" }, rules: { "open-secret": openSecret } };
