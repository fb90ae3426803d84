import { readFile } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { unpackDebianRedis } from "./debian.ts";
import type { Machine } from "./machine.ts";
import { isAtLeastMinimum, MINIMUM_VERSION, versionOfProgram } from "../version.ts";

const SERVER_NAMES = ["redis-server", "valkey-server"] as const;

/** The one command that gets a server, by the ID of os-release(5) or by platform. */
const COMMANDS: Readonly<Record<string, { readonly system: string; readonly command: string }>> = {
  debian: { system: "Debian, Ubuntu", command: "sudo apt-get install redis-server" },
  fedora: { system: "Fedora", command: "sudo dnf install valkey" },
  alpine: { system: "Alpine", command: "sudo apk add valkey" },
  darwin: { system: "macOS", command: "brew install redis" },
  win32: { system: "Windows", command: "wsl --install (and then run satyapan inside it)" },
};

/**
 * The path of a program that is a Redis ≥ 6.2 or Valkey server: from the PATH, or else on Debian and Ubuntu from the
 * distribution's packages, downloaded once into the cache folder (design §7). `say` is told before something takes long.
 * @throws SatyapanError REDIS_MISSING with the one command that gets a server on this system.
 */
export async function findRedisServer(machine: Machine, say: (line: string) => void = () => {}): Promise<string> {
  const notes: string[] = [];
  for (const program of candidates(machine)) {
    const version = await versionOfProgram(program);
    if (version === null) continue;
    if (isAtLeastMinimum(version)) return program;
    notes.push(`${program} is ${version}`);
  }
  const system = await readSystem(machine);
  if (system.family !== "debian") throw missing(notes, commandFor(system.family));
  let program: string;
  try {
    program = await unpackDebianRedis(machine.cacheDir, system.release, say);
  } catch (cause) {
    notes.push(
      `the distribution's packages could not be fetched: ${cause instanceof Error ? cause.message : "no reason"}`,
    );
    throw missing(notes, commandFor(system.family), { cause });
  }
  const version = await versionOfProgram(program);
  if (version !== null && isAtLeastMinimum(version)) return program;
  notes.push(`this distribution's own ${version === null ? "does not run" : `is ${version}`}`);
  throw missing(notes, "Install a newer one from the packages of redis.io or valkey.io");
}

function candidates(machine: Machine): string[] {
  const folders = machine.path.split(delimiter).filter((folder) => isAbsolute(folder));
  return SERVER_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
}

interface System {
  /** A key of `COMMANDS`, or `unknown`. */
  readonly family: string;
  /** Distribution and its version, for example `debian-12`. */
  readonly release: string;
}

async function readSystem(machine: Machine): Promise<System> {
  if (machine.platform !== "linux") return { family: machine.platform, release: machine.platform };
  const text = await readFile(machine.osReleaseFile, "utf8").catch(() => "");
  const field = (name: string) => new RegExp(`^${name}=["']?([^"'\\n]*)`, "m").exec(text)?.[1] ?? "";
  const ids = [field("ID"), ...field("ID_LIKE").split(" ")];
  return {
    family: ids.map((id) => (id === "ubuntu" ? "debian" : id)).find((id) => id in COMMANDS) ?? "unknown",
    release: `${field("ID")}-${field("VERSION_ID")}`.replace(/[^A-Za-z0-9.-]/g, "_"),
  };
}

function commandFor(family: string): string {
  const known = COMMANDS[family];
  if (known !== undefined) return `Install one with: ${known.command}`;
  const all = Object.values(COMMANDS).map(({ system, command }) => `  ${system}: ${command}`);
  return `Install one:\n${all.join("\n")}`;
}

function missing(notes: readonly string[], remedy: string, options?: ErrorOptions): SatyapanError {
  const wanted = `no ${SERVER_NAMES.join(" or ")} of version ${MINIMUM_VERSION} or newer is on the PATH`;
  return new SatyapanError(
    ErrorCode.REDIS_MISSING,
    `no Redis server: ${[wanted, ...notes].join("; ")}.\n${remedy}\nor set REDIS_URL to a server that runs elsewhere.`,
    options,
  );
}
