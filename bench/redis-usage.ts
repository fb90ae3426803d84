/** How often one command was run, and how long Redis was busy with it. */
export interface CommandUse {
  readonly calls: number;
  /** µs. A script's holds that of the commands it ran. */
  readonly usec: number;
}

/** What a Redis did, from its own `INFO`. */
export interface RedisUsage {
  /** CPU time of the process, in µs. */
  readonly cpuUs: number;
  /** By the command's name in lower case; those that scripts ran are counted like any other. */
  readonly commands: Readonly<Record<string, CommandUse>>;
}

const SCRIPTS: ReadonlySet<string> = new Set(["eval", "evalsha", "fcall"]);

/** Reads the sections `cpu` and `commandstats` of `INFO`. */
export function parseUsage(info: string): RedisUsage {
  const seconds = (field: string): number => Number(new RegExp(`^${field}:([\\d.]+)`, "m").exec(info)?.[1] ?? 0);
  const commands = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm)].map(
    ([, name = "", calls, usec]): [string, CommandUse] => [name, { calls: Number(calls), usec: Number(usec) }],
  );
  return {
    cpuUs: (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1_000_000,
    commands: Object.fromEntries(commands),
  };
}

/** What was done between two looks. */
export function usageBetween(before: RedisUsage, after: RedisUsage): RedisUsage {
  const commands = Object.entries(after.commands).flatMap(([name, { calls, usec }]): [string, CommandUse][] => {
    const { calls: callsBefore, usec: usecBefore } = before.commands[name] ?? { calls: 0, usec: 0 };
    return calls === callsBefore ? [] : [[name, { calls: calls - callsBefore, usec: usec - usecBefore }]];
  });
  return { cpuUs: after.cpuUs - before.cpuUs, commands: Object.fromEntries(commands) };
}

/** The usage without these calls, which were the bench's own. */
export function without({ cpuUs, commands }: RedisUsage, own: Readonly<Record<string, number>>): RedisUsage {
  const others = Object.entries(commands).flatMap(([name, { calls, usec }]): [string, CommandUse][] => {
    const left = calls - (own[name] ?? 0);
    return left <= 0 ? [] : [[name, { calls: left, usec: (usec * left) / calls }]];
  });
  return { cpuUs, commands: Object.fromEntries(others) };
}

/** All scripts together, which is how BullMQ and Satyapan speak to Redis, and all commands, those inside scripts as well. */
export function totals({ commands }: RedisUsage): { readonly scripts: CommandUse; readonly commands: number } {
  const scripts = { calls: 0, usec: 0 };
  let all = 0;
  for (const [name, { calls, usec }] of Object.entries(commands)) {
    all += calls;
    if (!SCRIPTS.has(name)) continue;
    scripts.calls += calls;
    scripts.usec += usec;
  }
  return { scripts, commands: all };
}
