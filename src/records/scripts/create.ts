import { LuaScript } from "../../redis/script.ts";
import { NEW_RECORD } from "./new-record.ts";

/**
 * `subject`: the person who is sent an OTP; `reuses`: not while one for that person is pending; `judged`: the person's sends that
 * were looked at before, `,id,id,`; `entry`: the audit log's; `parent`: who is told of the job's end; `ticket`: the one that is to
 * carry it.
 */
export const CREATE = new LuaScript(new URL("create.lua", import.meta.url), {
  needs: [NEW_RECORD],
  args: {
    ...{
      id: "text",
      prefix: "text",
      bull: "text",
      deadline: "text?",
      digest: "text",
      job: "text",
      input: "text",
      created: "text",
    },
    ...{ operation: "text", subject: "text?", reuses: "flag", judged: "text", entry: "text?", parent: "text?" },
    ticket: "text?",
  },
});
