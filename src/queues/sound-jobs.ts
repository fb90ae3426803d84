import type { BackendFactory, RedisQueueBackend } from "bullmq";
import { jobOptions } from "./job-options.ts";
import { isJsonObject, parseJson } from "../base/json.ts";

/** The scripts that answer with the next job, as its hash's fields and values in turn (bullmq 6.7). */
const FETCHING: ReadonlySet<string> = new Set(["moveToActive", "moveToFinished", "moveToDelayed"]);
/** The fields of a job that are JSON, and what stands for each where it is none. */
const { jobId: _, ...OPTIONS } = jobOptions("", { lane: "interactive", verify: false });
const FORMS: Readonly<Record<string, { readonly isSound: (value: unknown) => boolean; readonly instead: string }>> = {
  data: { isSound: isJsonObject, instead: "{}" },
  opts: { isSound: isJsonObject, instead: JSON.stringify(OPTIONS) },
  progress: { isSound: (value) => value !== undefined, instead: "0" },
  parent: { isSound: isJsonObject, instead: "{}" },
};

/** `fields`: what takes the place of what is broken. Never rejects: the job is taken whatever comes of it. */
export type Mend = (bullmqId: string, fields: Readonly<Record<string, string>>) => Promise<void>;

/**
 * BullMQ throws while it fetches a job whose JSON is broken, leaves it `active`, and comes upon it again for ever. All that is
 * true of a job is in its record, so what is broken is made up for, and the job is taken as any other. `mend` writes that down.
 */
export function soundJobs(factory: BackendFactory<RedisQueueBackend>, mend: Mend): BackendFactory<RedisQueueBackend> {
  return (name, opts, options) => {
    const backend = factory(name, opts, options);
    const run = backend.execCommand.bind(backend);
    backend.execCommand = (client, command, args: unknown[]): unknown => {
      const reply: unknown = run(client, command, args);
      return FETCHING.has(command) ? soundNext(reply, mend) : reply;
    };
    return backend;
  };
}

async function soundNext(reply: unknown, mend: Mend): Promise<unknown> {
  const next = await reply;
  if (!Array.isArray(next) || !Array.isArray(next[0])) return next;
  const [flat, id] = next as [string[], unknown];
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? "", flat[at + 1] ?? "");
  const broken = Object.entries(FORMS).flatMap(([field, { isSound }]) => {
    const text = fields.get(field);
    // Without options BullMQ would keep the job when it is done.
    return text === undefined ? (field === "opts" ? [field] : []) : isSound(parseJson(text)) ? [] : [field];
  });
  if (broken.length === 0) return next;
  const mended = Object.fromEntries(broken.map((field) => [field, FORMS[field]?.instead ?? ""]));
  for (const [field, text] of Object.entries(mended)) fields.set(field, text);
  await mend(String(id), mended);
  return (next as unknown[]).with(0, [...fields].flat());
}
