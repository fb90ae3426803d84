import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

/** The parts of docker-compose.yml that tests look at; what else it may say is the specification's schema to judge. */
const ServiceShape = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  user: z.string().optional(),
  command: z.array(z.string()).default([]),
  env_file: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  profiles: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  logging: z.looseObject({ options: z.record(z.string(), z.string()) }),
  read_only: z.boolean().default(false),
  init: z.boolean().default(false),
  stop_grace_period: z.string().optional(),
  healthcheck: z.looseObject({ test: z.array(z.string()).default([]), disable: z.boolean().default(false) }),
  secrets: z.array(z.string()).default([]),
  ulimits: z.record(z.string(), z.number()).default({}),
  tmpfs: z.array(z.string()).default([]),
  restart: z.string(),
  deploy: z.strictObject({ replicas: z.string() }).optional(),
});
export type Service = z.output<typeof ServiceShape>;

const ComposeFile = z.looseObject({
  services: z.record(z.string(), ServiceShape),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

const Manifest = z.looseObject({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

/** package.json. */
export function manifest(): z.output<typeof Manifest> {
  return Manifest.parse(JSON.parse(readText("package.json")));
}

export const ROOT = new URL("../../", import.meta.url);

export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The file as compose reads it: anchors and merge keys resolved, variables not yet. */
export function readCompose(): unknown {
  return parse(readText("docker-compose.yml"), { merge: true });
}

export function composeFile(): z.output<typeof ComposeFile> {
  return ComposeFile.parse(readCompose());
}

export function service(name: string): Service {
  const found = composeFile().services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** `KEY=value` lines, as compose reads an env_file without quotes. */
export function envFile(path: string): Map<string, string> {
  const lines = readText(path)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** `${NAME:-default}` and `${NAME:?message}`, as compose fills them in; throws the message where a value is needed. */
export function interpolate(text: string, values: Readonly<Record<string, string>> = {}): string {
  return text.replaceAll(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    const value = values[name] ?? "";
    if (value !== "") return value;
    if (kind === "?") throw new Error(rest);
    return rest;
  });
}
