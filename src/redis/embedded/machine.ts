import { join } from "node:path";

/** What finding and running a Redis needs to know of the machine it is on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** The value of PATH. */
  readonly path: string;
  readonly home: string;
  /** Where downloaded packages are unpacked: `$XDG_CACHE_HOME/satyapan` or `~/.cache/satyapan`. */
  readonly cacheDir: string;
  /** For the socket of a folder whose own path is too long for one. */
  readonly tmpDir: string;
  /** `/etc/os-release` (os-release(5)). */
  readonly osReleaseFile: string;
}

/** The machine as `env` and the two values beside it describe it; reads nothing itself. */
export function machineFrom(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  homeDir: string,
  tmpDir: string,
): Machine {
  const cacheHome = env["XDG_CACHE_HOME"];
  return {
    platform,
    path: env["PATH"] ?? "",
    home: homeDir,
    // A relative XDG_CACHE_HOME is to be ignored (XDG Base Directory Specification).
    cacheDir: join(cacheHome?.startsWith("/") === true ? cacheHome : join(homeDir, ".cache"), "satyapan"),
    tmpDir,
    osReleaseFile: "/etc/os-release",
  };
}
