import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { manifest, readText, ROOT } from "./compose-file.ts";

/** Instructions in order, continued lines joined, comments left out. */
const instructions = readText("Dockerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "");
const final = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM ")));

/** What is copied from the checkout (not from another stage). */
const copied = instructions
  .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
  .flatMap((line) => line.split(" ").slice(1, -1));

describe("the Dockerfile", () => {
  it("builds every stage on one image, pinned to the Node version that this project is developed with", () => {
    const bases = instructions.filter((line) => line.startsWith("FROM ")).map((line) => line.split(" ")[1]);
    expect(new Set(bases)).toEqual(new Set([`node:${manifest().devDependencies["node"]}-bookworm-slim`]));
  });

  it("installs what the lock file says, without development dependencies or install scripts", () => {
    expect(instructions.find((line) => line.includes("npm "))).toMatch(/npm ci .*--omit=dev .*--ignore-scripts/);
  });

  it("runs as `node`, who owns none of the code, with a health check, in production", () => {
    const user = final.findIndex((line) => line === "USER node");
    expect(user).toBeGreaterThan(final.findLastIndex((line) => line.startsWith("COPY ")));
    expect(final.slice(user + 1).filter((line) => /^(USER|RUN|COPY|ADD) /.test(line))).toEqual([]);
    expect(copied.filter((argument) => argument.startsWith("--chown"))).toEqual([]);
    expect(final.join("\n")).toMatch(/HEALTHCHECK .*\/healthz/);
    expect(final.join("\n")).toContain("ENV NODE_ENV=production");
  });

  it("lets no signal open a debugger, no report hold the environment, no shell keep a history, and brings no npm", () => {
    const [env = ""] = final.filter((line) => line.startsWith("ENV "));
    expect(env).toContain('NODE_OPTIONS="--disable-sigusr1 --report-exclude-env"');
    for (const option of ["--disable-sigusr1", "--report-exclude-env"]) {
      expect(process.allowedNodeEnvironmentFlags.has(option), option).toBe(true);
    }
    expect(env).toContain("HISTFILE=/dev/null");
    expect(final.find((line) => line.startsWith("RUN "))).toMatch(/rm -rf \/usr\/local\/lib\/node_modules .*\/npx/);
  });

  it("takes no build argument and sets no secret: both would stay in its layers", () => {
    expect(instructions.filter((line) => /^(ARG|ADD) /.test(line) || line.includes("--mount"))).toEqual([]);
    const names = instructions
      .filter((line) => line.startsWith("ENV "))
      .flatMap((line) => line.match(/\w+(?==)/g) ?? []);
    expect(names.toSorted()).toEqual(["HISTFILE", "METRICS_HOST", "NODE_ENV", "NODE_OPTIONS"]);
  });

  it("starts the worker, or any other command that is given", () => {
    expect(final).toContain('ENTRYPOINT ["node", "bin/satyapan.js"]');
    expect(final).toContain('CMD ["worker"]');
  });

  it("is given just the files that it copies: .dockerignore lets nothing else through", () => {
    const lines = readText(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines[0]).toBe("*");
    expect(
      lines
        .slice(1)
        .map((line) => line.replace(/^!/, ""))
        .toSorted(),
    ).toEqual([...new Set(copied)].toSorted());
    for (const path of copied) expect(existsSync(new URL(path, ROOT)), path).toBe(true);
  });
});
