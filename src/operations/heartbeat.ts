import { z } from "zod";
import { readEko, type EkoRules } from "../providers/eko/read.ts";
import { fillPath } from "../providers/path.ts";
import { Secret } from "../secrets/secret.ts";
import { ekoOperation } from "./operation.ts";

const RULES: EkoRules = { succeeds: {}, plain: {}, keeps: [] };

/**
 * A job that is about nobody, as Eko's are: sealed, queued, signed, sent, written down. Workers make it to see that the whole way
 * works, against an address of its own; it is in no list, and nobody submits it.
 */
export const heartbeat = ekoOperation({
  name: "eko.heartbeat",
  step: "read",
  summary: "A call that shows that the whole way works",
  path: "/heartbeat",
  input: z.strictObject({
    beat: z
      .string()
      .regex(/^\d{1,16}$/)
      .transform((text) => new Secret(text, "hidden"))
      .meta({ sealed: true, description: "Its number" }),
  }),
  example: { beat: "1" },
  afterUnknown: "repeat",
  prepare: (_input, { path, clientRefId }) => ({
    method: "POST",
    path: fillPath(path, {}),
    query: {},
    body: { client_ref_id: clientRefId },
  }),
  read: (reply, input) => readEko(reply, RULES, input),
});
