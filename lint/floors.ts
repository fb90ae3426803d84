import { posix } from "node:path";

/** The floors of `src`, from the ground up: a room imports only what lies below its floor; those of one floor never each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["outcomes", "secrets"],
  ["redis", "providers"],
  ["operations", "queues"],
  ["limits", "privacy"],
  ["records"],
  ["entry", "telemetry"],
  ["challenges"],
  ["flows"],
  ["batches"],
  ["config"],
  ["command"],
];
/** The floors of `src/privacy`; "" are the files at its top. */
const PRIVACY_FLOORS: readonly (readonly string[])[] = [["", "sealing", "audit"], ["keys"], ["scan"]];
/** The floors of `producers`; "" is the library's face at its top. */
const PRODUCERS_FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["audit", "gates"],
  ["jobs"],
  ["failed", "keys", "onboardings", "rows"],
  ["batches"],
  ["find", "doctor"],
  ["files", "report"],
  ["imports"],
  [""],
  ["command"],
];

/** What the houses beside `src` import of ours, besides themselves. A simulator is a witness: it knows nothing it tests. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  src: [],
  workers: ["src/"],
  producers: ["src/"],
  simulator: ["src/base/", "src/command/", "src/limits/"],
};

const ENVIRONMENT = "src/config/environment.ts";

/** Modules by their path from the root, with `/`; each text is that of one TypeScript file. */
export type Tree = ReadonlyMap<string, string>;

/** What breaks the order of the rooms (design §5), a line each. */
export function floorProblems(tree: Tree): string[] {
  const problems: string[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [path, text] of tree) {
    const specifiers = importsOf(text);
    const ours = specifiers.filter((name) => name.startsWith(".")).map((name) => posix.join(posix.dirname(path), name));
    graph.set(path, ours);
    problems.push(...ours.flatMap((target) => wrongImport(path, target) ?? []));
    if (specifiers.includes("bullmq") && !path.startsWith("src/queues/")) {
      problems.push(`${path}: only src/queues imports bullmq`);
    }
    if (path !== ENVIRONMENT && /\bprocess\s*(?:\?\.|\.)\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(text)) {
      problems.push(`${path}: only ${ENVIRONMENT} reads the environment`);
    }
  }
  return [...problems, ...circles(graph)];
}

/** All that a file imports, types too, by what it says. A lazy `import()` of what is no literal cannot be seen. */
export function importsOf(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, name = ""]) => name);
}

function wrongImport(path: string, target: string): string | null {
  const [house = ""] = path.split("/");
  const allowed = MAY[house];
  if (allowed === undefined) return null;
  if (!target.startsWith(`${house}/`)) {
    return allowed.some((begin) => target.startsWith(begin)) ? null : `${path}: ${house} does not import ${target}`;
  }
  return (
    upward(path, target, "src", FLOORS) ??
    upward(path, target, "src/privacy", PRIVACY_FLOORS) ??
    upward(path, target, "producers", PRODUCERS_FLOORS)
  );
}

function upward(path: string, target: string, house: string, floors: typeof FLOORS): string | null {
  const from = roomIn(house, path);
  const to = roomIn(house, target);
  if (from === null || to === null || from === to) return null;
  const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room));
  const homeless = [from, to].find((room) => floorOf(room) < 0);
  if (homeless !== undefined) return `${path}: ${house}/${homeless} has no floor yet: give it one in lint/floors.ts`;
  return floorOf(to) < floorOf(from) ? null : `${path}: ${from} does not lie above ${to} (${target})`;
}

/** Null: it is not in that house. */
function roomIn(house: string, path: string): string | null {
  if (!path.startsWith(`${house}/`)) return null;
  const [room = "", ...rest] = path.slice(house.length + 1).split("/");
  return rest.length === 0 ? "" : room;
}

/** One line for each group of files that import each other in a circle. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const reach = new Map<string, Set<string>>();
  const reachOf = (start: string): Set<string> => {
    const known = reach.get(start);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [...(graph.get(start) ?? [])];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (found.has(file)) continue;
      found.add(file);
      open.push(...(graph.get(file) ?? []));
    }
    reach.set(start, found);
    return found;
  };
  const inCircles = [...graph.keys()].filter((file) => reachOf(file).has(file));
  const groups = new Set(
    inCircles.map((file) =>
      inCircles
        .filter((other) => reachOf(file).has(other) && reachOf(other).has(file))
        .toSorted()
        .join(", "),
    ),
  );
  return [...groups].map((group) => `a circle: ${group}`);
}
