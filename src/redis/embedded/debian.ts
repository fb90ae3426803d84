import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { arch } from "node:process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { hasCode } from "../../base/error-code.ts";
import { makeFolder } from "../../base/make-folder.ts";
import { versionOfProgram } from "../version.ts";

const execute = promisify(execFile);

/** The binary is in the tools' package: `redis-server` holds a link to it (Debian 12). */
const PACKAGES = ["redis-server", "redis-tools"] as const;

/** No root and no locks needed, nothing of the system's is written; a mirror that does not answer is given up. */
const APT = ["Debug::NoLocking=1", "APT::Sandbox::User=root", "Acquire::Retries=1", "Acquire::http::Timeout=15"]
  .flatMap((option) => ["-o", option])
  .concat("--quiet");

/** For one command of apt's, in ms: an update of the package lists over a slow line. */
const COMMAND_TIMEOUT_MS = 180_000;

/**
 * Downloads the distribution's own Redis packages, unpacks them below `cacheDir` and gives the path of the server in there;
 * later calls find it. Nothing is installed, no root is needed, and two processes may do it at once: the folder appears whole.
 * `release` names the distribution, for example `debian-12`: another release has other libraries.
 * @throws Error with apt's own last word.
 */
export async function unpackDebianRedis(
  cacheDir: string,
  release: string,
  say: (line: string) => void,
): Promise<string> {
  const folder = join(cacheDir, `redis-${release}-${arch}`);
  const program = join(folder, "redis-server");
  if ((await versionOfProgram(program)) !== null) return program;
  say("No Redis server on this machine: fetching the distribution's own, once, into the cache folder …");
  makeFolder(cacheDir);
  const draft = await mkdtemp(`${folder}.`);
  try {
    const packages = await download(join(draft, "packages"), join(draft, "apt"));
    const content = join(draft, "content");
    await mkdir(content);
    for (const file of packages) await run("dpkg-deb", ["-x", file, content], draft);
    await writeLauncher(content);
    await putInPlace(content, folder, program);
    return program;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The system's package lists first; where they are absent or out of date, fresh ones in `aptDir`. */
async function download(into: string, aptDir: string): Promise<string[]> {
  await mkdir(into);
  try {
    return await downloadWith([], into);
  } catch {
    return downloadAfterUpdate(into, aptDir);
  }
}

/** An update ends well even where no list could be fetched: its complaint then explains what fails after it. */
async function downloadAfterUpdate(into: string, aptDir: string): Promise<string[]> {
  await mkdir(join(aptDir, "lists", "partial"), { recursive: true });
  await mkdir(join(aptDir, "cache", "archives", "partial"), { recursive: true });
  const own = ["-o", `Dir::State::lists=${join(aptDir, "lists")}`, "-o", `Dir::Cache=${join(aptDir, "cache")}`];
  const update = await run("apt-get", [...APT, ...own, "-o", "Acquire::Languages=none", "update"], into);
  try {
    return await downloadWith(own, into);
  } catch (cause) {
    const complaint = update.stderr.split("\n").find((line) => /^[EW]: /.test(line));
    throw complaint === undefined ? cause : new Error(`apt-get update: ${complaint.slice(3)}`, { cause });
  }
}

async function downloadWith(options: readonly string[], into: string): Promise<string[]> {
  const plan = await run(
    "apt-get",
    [...APT, ...options, "install", "--simulate", "--no-install-recommends", ...PACKAGES],
    into,
  );
  const names = [...PACKAGES, ...missingLibraries(plan.stdout)];
  await run("apt-get", [...APT, ...options, "download", ...names], into);
  const files = await readdir(into);
  return files.filter((name) => name.endsWith(".deb")).map((name) => join(into, name));
}

/** The libraries among the packages that apt would install; not the C library, which must be the one that the loader is from. */
function missingLibraries(plan: string): string[] {
  const planned = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  return planned.filter((name) => name.startsWith("lib") && !name.startsWith("libc6"));
}

/** A script in front of the server, so that it finds the libraries that were unpacked with it, wherever the folder is. */
async function writeLauncher(content: string): Promise<void> {
  const files = await readdir(content, { recursive: true });
  const libraries = new Set(files.filter((file) => /\.so(\.\d+)*$/.test(file)).map((file) => dirname(file)));
  const search = [...libraries].map((folder) => `$here/${folder}`).join(":");
  const launcher = join(content, "redis-server");
  await writeFile(
    launcher,
    `#!/bin/sh\nhere=\${0%/*}\n${search === "" ? "" : `export LD_LIBRARY_PATH="${search}"\n`}exec "$here/usr/bin/redis-server" "$@"\n`,
  );
  await chmod(launcher, 0o755);
}

/** Where another process was first, its folder is as good; one that does not run (swept by a cache cleaner) is replaced. */
async function putInPlace(content: string, folder: string, program: string): Promise<void> {
  if ((await versionOfProgram(program)) === null) await rm(folder, { recursive: true, force: true });
  try {
    await rename(content, folder);
  } catch (error) {
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
  }
}

/** What the command prints. Its failure is an Error with the last line that apt or dpkg-deb wrote. */
async function run(command: string, args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  try {
    return await execute(command, args, { cwd, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 });
  } catch (cause) {
    const stderr = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : "";
    const lastLine = stderr.split("\n").at(-1) ?? "";
    throw new Error(`${command}: ${lastLine === "" ? "it could not be run" : lastLine}`, { cause });
  }
}
