import { ExitCode } from "../../src/command/context.ts";
import { type Exposure, refusedFor } from "../../src/privacy/hygiene.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { Finding } from "./finding.ts";

/** How this process was started; a worker that is started the same way has the same findings. */
export function processFindings(exposures: readonly Exposure[], settings: Settings): Finding[] {
  if (exposures.length === 0) {
    return [{ check: "process", status: "ok", detail: "no debugger, no dumps, no debug output" }];
  }
  const refused = refusedFor(exposures, settings, settings.allowDebugger);
  return exposures.map((exposure): Finding => {
    const { what: check, detail } = exposure;
    return refused.includes(exposure)
      ? { check, status: "failed", detail, exitCode: ExitCode.WRONG_USE }
      : { check, status: "warning", detail };
  });
}
