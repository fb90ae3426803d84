import { LuaPart } from "../../redis/lua-source.ts";
import { ARCHIVED_STATES, TIME_LENGTHS } from "../archive.ts";

/** Records at rest that share a hash. */
export const ARCHIVE = new LuaPart(new URL("archive.lua", import.meta.url), {
  constants: {
    TIME: TIME_LENGTHS.first,
    LATER: TIME_LENGTHS.last,
    // With records of 200 bytes 25 KB, which Redis keeps in one piece of memory and goes through in some microseconds.
    ARCHIVE_FULL: 128,
    // 1 h: so much longer than it should a record may be kept.
    SOON_MS: 3_600_000,
    AT_REST: ARCHIVED_STATES,
  },
});
