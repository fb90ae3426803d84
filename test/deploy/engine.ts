import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { composeFile, readText, ROOT } from "./compose-file.ts";

const run = promisify(execFile);

/** Runs the docker client in the root folder and gives its standard output. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", args, { cwd: fileURLToPath(ROOT), maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** Why this machine cannot start docker-compose.yml for real; null where it can. */
export async function whyNoEngine(): Promise<string | null> {
  if (!(await works("info", "--format", "{{.ServerVersion}}"))) return "no Docker engine answers `docker info`";
  const version = await docker("compose", "version", "--short").catch(() => "");
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  // 2.20 is the first that knows `required` in depends_on.
  if (!(major > 2 || (major === 2 && minor >= 20))) return "`docker compose` 2.20 or newer is not installed";
  for (const image of [baseImage(), ...imagesOf("redis", "prometheus")]) {
    if (!(await canBeHad(image))) return `the image ${image} is neither here nor can it be pulled`;
  }
  return null;
}

/** The services that can be started here: Alertmanager and Grafana are left out where their images cannot be had. */
export async function servicesHere(): Promise<string[]> {
  const services = ["redis", "worker", "simulator", "demo", "prometheus", "pager"];
  for (const name of ["alertmanager", "grafana"]) {
    const [image = ""] = imagesOf(name);
    if (await canBeHad(image)) services.push(name);
  }
  return services;
}

function baseImage(): string {
  return /^FROM (\S+)/m.exec(readText("Dockerfile"))?.[1] ?? "";
}

function imagesOf(...names: readonly string[]): string[] {
  const { services } = composeFile();
  return names.map((name) => services[name]?.image ?? "");
}

async function canBeHad(image: string): Promise<boolean> {
  return (await works("image", "inspect", image)) || (await works("pull", "--quiet", image));
}

async function works(...args: readonly string[]): Promise<boolean> {
  return await docker(...args).then(
    () => true,
    () => false,
  );
}

/** A compose project of its own: new keys, free ports, volumes that go when it is disposed of. */
export class ComposeProject implements AsyncDisposable {
  readonly #name = `satyapan-test-${randomBytes(4).toString("hex")}`;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<ComposeProject> {
    const folder = await mkdtemp(join(tmpdir(), "satyapan-compose-"));
    await run("sh", [fileURLToPath(new URL("deploy/secrets.sh", ROOT)), join(folder, "secrets")]);
    const lines = [
      `SECRETS_DIR=${join(folder, "secrets")}`,
      ...["PROMETHEUS", "ALERTMANAGER", "PAGER", "GRAFANA", "SIMULATOR"].map((name) => `${name}_PORT=0`),
    ];
    await writeFile(join(folder, "env"), `${lines.join("\n")}\n`);
    return new ComposeProject(folder);
  }

  /** Everything that deploy/secrets.sh made, by name. */
  async secrets(): Promise<Map<string, string>> {
    const folder = join(this.#folder, "secrets");
    const names = Object.keys(composeFile().secrets);
    const texts = await Promise.all(names.map(async (name) => (await readFile(join(folder, name), "utf8")).trim()));
    return new Map(names.map((name, index) => [name, texts[index] ?? ""]));
  }

  /** `docker compose ARGS` with the demo's profile; its standard output. */
  async run(...args: readonly string[]): Promise<string> {
    const env = join(this.#folder, "env");
    return await docker("compose", "-p", this.#name, "--env-file", env, "--profile", "demo", ...args);
  }

  /** Builds and starts services until all are healthy; where one is not, the error ends with what they logged. */
  async start(services: readonly string[]): Promise<void> {
    try {
      await this.run("up", "--detach", "--build", "--wait", ...services);
    } catch (cause) {
      const logs = await this.run("logs", "--no-color", "--tail", "20");
      throw new Error(`${String(cause)}\n${logs}`, { cause });
    }
  }

  /** What `satyapan ARGS` prints with the operator's rights. */
  async operate(...args: readonly string[]): Promise<string> {
    return await this.run("run", "--rm", "-T", "operator", ...args);
  }

  /** What `script` prints inside the worker's container. */
  async inWorker(script: string): Promise<string> {
    return await this.run("exec", "-T", "worker", "node", "-e", script);
  }

  /** Where a service's port is published on this machine. */
  async url(service: string, port: number): Promise<string> {
    return `http://${(await this.run("port", service, String(port))).trim()}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("down", "--volumes", "--remove-orphans", "--timeout", "5");
    await rm(this.#folder, { recursive: true });
  }
}
