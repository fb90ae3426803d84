/** The variables a process was started with; handed to whoever needs one, never looked up elsewhere. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A copy: what changes the environment later does not change the settings. */
export function readEnvironment(): Environment {
  // oxlint-disable-next-line node/no-process-env -- this is the one place that reads the environment (design §5).
  return { ...process.env };
}
