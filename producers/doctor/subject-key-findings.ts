import { hasSubjectKey, type WorkerPrint } from "../../src/limits/fleet.ts";
import { AuditKey } from "../../src/privacy/audit/key.ts";
import { AuditLog } from "../../src/privacy/audit/log.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { refusalWord } from "../../src/redis/refusal.ts";
import type { Secret } from "../../src/secrets/secret.ts";
import { SatyapanError } from "../../src/base/error.ts";
import { failure, type Finding } from "./finding.ts";

const CHECK = "subject key";
const HARM = "with another, one person and one input count as two, and the audit log is broken";

/** Whether SATYAPAN_SUBJECT_KEY is that of the workers, and that of what there is already: the audit log tells both apart. */
export async function subjectKeyFindings(
  redis: RedisClient,
  subjectKey: Secret,
  prints: readonly WorkerPrint[],
): Promise<Finding[]> {
  const ours = new AuditKey(subjectKey).id;
  let chained: string | null = null;
  try {
    chained = await new AuditLog(redis).keyId();
  } catch (error) {
    // A producer's own user may not look at it.
    if (error instanceof SatyapanError) return [failure(CHECK, error)];
    if (refusalWord(error) !== "NOPERM") throw error;
  }
  const said = prints.map((print) => hasSubjectKey(print, subjectKey)).filter((same) => same !== null);
  const others = said.filter((same) => !same).length;
  if (others > 0) {
    const of = `${others} of ${said.length} ${said.length === 1 ? "worker has" : "workers have"}`;
    const cure = "give all processes the same SATYAPAN_SUBJECT_KEY";
    return [{ check: CHECK, status: "failed", detail: `${of} another one than is set here: ${cure}; ${HARM}` }];
  }
  if (chained !== null && chained !== ours) {
    const cure =
      "set SATYAPAN_SUBJECT_KEY to that of before, or, if it was changed on purpose, run `satyapan audit rekey`";
    const detail = `the audit log is chained with another one (id ${chained}) than is set here (id ${ours}): ${cure}; ${HARM}`;
    return [{ check: CHECK, status: "failed", detail }];
  }
  if (chained === null && said.length === 0) {
    return [{ check: CHECK, status: "skipped", detail: "no worker and no audit log to compare it with" }];
  }
  return [{ check: CHECK, status: "ok", detail: "it is that of the others" }];
}
